import type { AdminHealth, HealthBucket, HealthCredential, HealthEntry, HealthNow, Integration, IntegrationHealth, LadderStep, ProviderRates, Uptime, UptimeBar } from '@/api/types'
import { aClassification, ago, HOUR, MINUTE, NOW } from './factories'

const DAY = 24 * HOUR
const RUNGS: [rung: string, ms: number | null][] = [
  ['dns', 3],
  ['tcp', 11],
  ['tls', 24],
  ['http', 41],
  ['credential', 38],
  ['scopes', 0],
  ['capability', 52],
]

export const aLadder = (failed?: string, note: string | null = null): LadderStep[] => {
  const end = failed === undefined ? RUNGS.length : RUNGS.findIndex(([rung]) => rung === failed) + 1
  return RUNGS.slice(0, end).map(([rung, ms]) => ({ rung, name: rung, ok: rung !== failed, ms, note: rung === failed ? note : null }))
}

export const aCredential = (more: Partial<HealthCredential> = {}): HealthCredential => ({
  kind: 'oauth2',
  state: 'active',
  account: 'acme-builders',
  expiresAt: ago(-58 * MINUTE),
  scopes: ['employees:read', 'payrolls:write'],
  missing: [],
  message: null,
  canReconnect: true,
  ...more,
})

export const aHealthNow = (more: Partial<HealthNow> = {}, now = NOW): HealthNow => ({
  status: 'healthy',
  health: 'healthy',
  light: 'green',
  since: ago(48 * HOUR, now),
  reasons: [],
  score: 100,
  responseTimeMs: 169,
  lastCheckAt: ago(2 * MINUTE, now),
  nextCheckAt: ago(-3 * MINUTE, now),
  lastSuccessAt: ago(2 * MINUTE, now),
  consecutiveFailures: 0,
  errorMessage: null,
  errorCode: null,
  explanation: null,
  ladder: aLadder(),
  account: 'acme-builders',
  scopes: { granted: ['a', 'b', 'c', 'd'], missing: [] },
  certificateEndsAt: ago(-61.5 * DAY, now),
  quotas: [{ name: 'core', limit: 5000, remaining: 1480, resetsAt: ago(-40 * MINUTE, now), ownCount: false, exhaustedAt: ago(-25 * MINUTE, now) }],
  warnings: [],
  notes: [],
  credential: aCredential(),
  checked: true,
  intervalS: 300,
  timeoutMs: 5000,
  stale: false,
  asOf: new Date(now).toISOString(),
  ...more,
})

/** A check that the provider answered with 401. */
export const aRefusal = (now = NOW): Partial<HealthNow> => ({
  status: 'unhealthy',
  health: 'down',
  light: 'red',
  responseTimeMs: 79,
  consecutiveFailures: 3,
  errorMessage: 'The refresh token was revoked.',
  errorCode: 'auth_token_revoked',
  explanation: aClassification({ title: 'The provider no longer accepts our token', documentationUrl: 'https://docs.example.com/auth' }),
  ladder: aLadder('credential', '401 invalid_grant'),
  scopes: null,
  lastSuccessAt: ago(16 * MINUTE, now),
  credential: aCredential({ state: 'revoked', expiresAt: null }),
})

const noise = (index: number) => Math.abs(Math.sin(index * 12.9898) * 43758.5453) % 1

export const aHistory = (now = NOW, failing = (_index: number) => false): HealthEntry[] =>
  Array.from({ length: 100 }, (_, index) => ({
    checkedAt: ago(index * 5 * MINUTE + 2 * MINUTE, now),
    status: failing(index) ? 'unhealthy' : 'healthy',
    responseTimeMs: Math.round(120 + 60 * noise(index) + (noise(index + 7) > 0.93 ? 400 : 0)),
    rung: failing(index) ? 'credential' : null,
    errorCode: failing(index) ? 'auth_token_revoked' : null,
    errorMessage: failing(index) ? 'The refresh token was revoked.' : null,
  }))

const WINDOWS: [window: string, bars: number, each: number][] = [
  ['24h', 48, 30 * MINUTE],
  ['7d', 42, 4 * HOUR],
  ['30d', 30, DAY],
  ['90d', 90, DAY],
]

/** Nothing known in the first tenth of each window; down in the last bar when `failing`. */
export const anUptime = (now = NOW, failing = false): Uptime[] =>
  WINDOWS.map(([window, count, each]) => {
    const bars = Array.from({ length: count }, (_, index): UptimeBar => {
      const to = now - (count - 1 - index) * each
      const known = index >= count / 10
      const downMs = failing && index === count - 1 ? each / 5 : 0
      const degradedMs = known && noise(index + count) > 0.93 ? each / 4 : 0
      return { from: new Date(to - each).toISOString(), to: new Date(to).toISOString(), healthyMs: known ? each - downMs - degradedMs : 0, degradedMs, downMs }
    })
    const sum = (of: (bar: UptimeBar) => number) => bars.reduce((total, bar) => total + of(bar), 0)
    const down = sum((bar) => bar.downMs)
    const known = down + sum((bar) => bar.healthyMs + bar.degradedMs)
    return { window, uptime: known === 0 ? null : (known - down) / known, coverage: known / (count * each), bars }
  })

export const aHealth = (integration: Integration, now = NOW, current: Partial<HealthNow> = {}): IntegrationHealth => {
  const failing = integration.health === 'down'
  const shown = { health: integration.health, since: integration.healthSince, reasons: integration.reasons, score: integration.score, ...(failing && aRefusal(now)), ...current }
  return {
    integrationId: integration.id,
    provider: integration.provider,
    service: integration.service,
    current: aHealthNow(shown, now),
    history: aHistory(now, (index) => failing && index < 3),
    statistics: { from: ago(DAY, now), to: ago(0, now), count: 288, successRate: failing ? 99 : 100, averageMs: 151, p50Ms: 148, p95Ms: 240, p99Ms: 560, uptime: 0.998, coverage: 0.97 },
    uptime: anUptime(now, failing),
    quotaHistory: Array.from({ length: 60 }, (_, index) => ({ at: ago((60 - index) * 5 * MINUTE, now), name: 'core', limit: 5000, remaining: 5000 - index * 58, resetsAt: ago(-40 * MINUTE, now), ownCount: false })),
  }
}

/** Never checked, as just after it was made. */
export const notChecked = (integration: Integration, now = NOW, current: Partial<HealthNow> = {}): IntegrationHealth => ({
  ...aHealth(integration, now),
  current: aHealthNow({ health: integration.health, lastCheckAt: null, lastSuccessAt: null, nextCheckAt: ago(-12_000, now), responseTimeMs: null, ladder: [], scopes: null, quotas: [], certificateEndsAt: null, credential: null, score: null, ...current }, now),
  history: [],
  uptime: [],
  quotaHistory: [],
})

export const someHours = (hours: number, now = NOW): HealthBucket[] =>
  Array.from({ length: hours }, (_, index) => {
    const from = now - (now % HOUR) - (hours - index) * HOUR
    const failed = noise(index) > 0.97 ? 2 : 0
    const p50Ms = Math.round(130 + 40 * noise(index + 3))
    return { from: new Date(from).toISOString(), to: new Date(from + HOUR).toISOString(), count: 12, ok: 12 - failed, failed, averageMs: p50Ms + 8, p50Ms, p95Ms: p50Ms + Math.round(160 * noise(index + 5)), p99Ms: p50Ms + 220, healthyMs: HOUR, degradedMs: 0, downMs: 0 }
  })

const trendOf = (points: number, each: number, now: number, checks: number) =>
  Array.from({ length: points }, (_, index) => ({ from: ago((points - index) * each, now), checks, failed: Math.floor(noise(index) * 6), p95Ms: 300 + Math.round(200 * noise(index)) }))

const rates = (provider: string, name: string, more: Partial<ProviderRates>, now: number): ProviderRates => ({
  provider, name, integrations: 4, healthy: 4, degraded: 0, down: 0, unknown: 0, checks: 1152, successRate: 100, averageMs: 140, p95Ms: 260, incident: null, trend: trendOf(24, HOUR, now, 48), ...more,
})

export const anAdminHealth = (window: string, now = NOW): AdminHealth => {
  const incident = { id: 'incident-1', provider: 'gusto', cause: 'several_failed_alike', summary: 'Gusto refuses tokens for 3 of 4 integrations.', openedAt: ago(52 * MINUTE, now), closedAt: null, affected: 3, updates: [{ at: ago(52 * MINUTE, now), text: 'Opened: 3 integrations of 2 projects failed alike within 10 minutes.' }, { at: ago(31 * MINUTE, now), text: 'Its status page says: investigating.' }] }
  const ranked = (index: number) => ({ integrationId: `integration-${index}`, projectId: 'project-1', name: ['Procore', 'Gusto payroll', 'QuickBooks'][index - 1] ?? '', provider: ['procore', 'gusto', 'quickbooks'][index - 1] ?? '' })
  return {
    generatedAt: new Date(now).toISOString(),
    window,
    totals: { integrations: 14, healthy: 11, degraded: 1, down: 1, unknown: 1 },
    checks: { count: 4032, successRate: 98.4, averageMs: 171, p95Ms: 420 },
    providers: [
      rates('gusto', 'Gusto', { healthy: 1, down: 3, successRate: 91.2, averageMs: 310, p95Ms: 900, incident }, now),
      rates('procore', 'Procore', { integrations: 6, healthy: 6, checks: 1728, averageMs: 212, p95Ms: 480 }, now),
      rates('stripe', 'Stripe Issuing', { averageMs: 88, p95Ms: 140, successRate: 99.9 }, now),
    ],
    trend: trendOf(window === '24h' ? 24 : window === '7d' ? 42 : 30, window === '24h' ? HOUR : window === '7d' ? 4 * HOUR : DAY, now, 168),
    slowest: [{ ...ranked(2), averageMs: 310, p95Ms: 900, failed: 25, checks: 288 }, { ...ranked(1), averageMs: 212, p95Ms: 480, failed: 0, checks: 288 }],
    mostFailing: [{ ...ranked(2), averageMs: 310, p95Ms: 900, failed: 25, checks: 288 }, { ...ranked(3), averageMs: 120, p95Ms: 260, failed: 4, checks: 288 }],
    incidents: [incident, { ...incident, id: 'incident-0', provider: 'procore', cause: 'status_page', summary: 'Procore reports slow answers.', openedAt: ago(30 * HOUR, now), closedAt: ago(28 * HOUR, now), affected: 6, updates: [] }],
  }
}
