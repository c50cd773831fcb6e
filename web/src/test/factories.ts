import type { Bucket, Classification, EventDetail, IntegrationDetail, Problem } from '@/api/types'

/** Sat 21 Nov 2026, 09:41 UTC: the moment tests stand still at. */
export const NOW = Date.parse('2026-11-21T09:41:00.000Z')
export const HOUR = 3_600_000
export const MINUTE = 60_000
export const ago = (ms: number, now = NOW) => new Date(now - ms).toISOString()

/** A day of quiet hours. */
export const buckets = (now = NOW, count = (_hour: number): [ok: number, failed: number] => [6, 0]): Bucket[] =>
  Array.from({ length: 24 }, (_, index) => {
    const at = now - (now % HOUR) - (23 - index) * HOUR
    const [ok, failed] = count(index)
    return { at: new Date(at).toISOString(), ok, failed }
  })

export const aClassification = (more: Partial<Classification> = {}): Classification => ({
  category: 'auth',
  severity: 'critical',
  cause: 'The refresh token was revoked.',
  suggestedFix: 'Connect again.',
  fixSteps: ['Connect again.', 'Send the payroll again.'],
  affectedData: ['Payroll of November'],
  businessImpact: 'People are paid late.',
  confidence: 0.95,
  transient: false,
  code: 'auth_token_revoked',
  title: 'The token was revoked',
  documentationUrl: null,
  source: 'rule',
  ...more,
})

export const anEvent = (more: Partial<EventDetail> = {}): EventDetail => ({
  id: 'event-1',
  seq: 1,
  kind: 'webhook',
  integration: 'gusto',
  integrationId: 'integration-1',
  integrationName: 'Payroll',
  eventType: 'payroll.submit_failed',
  status: 'failure',
  timestamp: ago(MINUTE),
  receivedAt: ago(MINUTE),
  message: 'The refresh token was revoked',
  category: 'auth',
  severity: 'critical',
  code: 'invalid_grant',
  problemId: 'problem-1',
  error: { message: 'The refresh token was revoked', code: 'invalid_grant', context: { operation: 'POST /token', httpStatus: 401 } },
  classification: aClassification(),
  quarantined: false,
  payload: { error: 'invalid_grant', user: '[redacted:email]' },
  headers: { 'content-type': 'application/json', 'user-agent': 'Provider/1.0' },
  payloadBytes: 412,
  payloadHash: 'sha256:0000',
  contentType: 'application/json',
  similar: [],
  problem: null,
  feedback: { helpful: null, category: null, comment: null },
  ...more,
})

export const aProblem = (more: Partial<Problem> = {}): Problem => ({
  id: 'problem-1',
  integrationId: 'integration-1',
  integrationName: 'Payroll',
  provider: 'gusto',
  state: 'open',
  title: 'The token was revoked',
  message: 'The refresh token was revoked',
  code: 'invalid_grant',
  operation: 'POST /token',
  httpStatus: 401,
  count: 3,
  firstSeen: ago(2 * HOUR),
  lastSeen: ago(MINUTE),
  classification: aClassification(),
  owner: null,
  helpful: { yes: 0, no: 0 },
  lastEventId: 'event-1',
  version: 1,
  ...more,
})

export const anIntegration = (more: Partial<IntegrationDetail> = {}): IntegrationDetail => ({
  id: 'integration-1',
  provider: 'gusto',
  providerName: 'Gusto',
  service: null,
  name: 'Payroll',
  enabled: true,
  demo: false,
  checked: false,
  credentialState: null,
  nextCheckAt: null,
  health: 'healthy',
  healthSince: ago(48 * HOUR),
  reasons: [],
  score: 100,
  scoreParts: { freshness: 1, success: 1, errorRate: 1, caps: [], sentence: 'Heard from a minute ago; all of 144 events succeeded.' },
  status: 'healthy',
  record24h: { status: 'healthy', successRate: 100, total: 144, errors: 0 },
  sparkline: buckets(),
  lastCheckAt: ago(2 * MINUTE),
  responseTimeMs: 169,
  lastEventAt: ago(MINUTE),
  lastSuccessAt: ago(MINUTE),
  lastFailureAt: null,
  lastEvents: [],
  openProblems: 0,
  webhook: { url: 'https://hooks.example.com/webhooks/gusto/k_7Xq2', aliasUrl: null, secrets: 1, rejected24h: 0 },
  createdAt: ago(900 * HOUR),
  updatedAt: ago(900 * HOUR),
  version: 1,
  settings: { company_uuid: 'c0ffee00' },
  problems: [],
  ...more,
})
