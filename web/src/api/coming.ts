/** Shapes of the health routes until `npm run gen` knows them. To be deleted then. */
import type { components } from './schema'

type Schemas = components['schemas']
type Time = string
type Health = Schemas['Health']

export interface LadderStep {
  rung: string
  name: string
  ok: boolean
  ms: number | null
  note: string | null
}
export interface Quota {
  name: string
  limit: number | null
  remaining: number
  resetsAt: Time | null
  ownCount: boolean
  exhaustedAt: Time | null
}
export interface HealthCredential {
  kind: string
  state: string
  account: string | null
  expiresAt: Time | null
  scopes: string[]
  canReconnect: boolean
  reconnectUrl?: string | null
}
export interface HealthNow {
  status: string
  health: Health
  light: string
  since: Time
  reasons: Schemas['Reason'][]
  score: number | null
  responseTimeMs: number | null
  lastCheckAt: Time | null
  nextCheckAt: Time | null
  lastSuccessAt: Time | null
  consecutiveFailures: number
  errorMessage: string | null
  errorCode: string | null
  explanation: Schemas['Classification'] | null
  ladder: LadderStep[]
  account: string | null
  scopes: { granted: string[]; missing: string[] } | null
  certificateEndsAt: Time | null
  quotas: Quota[]
  warnings: string[]
  notes: string[]
  credential: HealthCredential | null
  checked: boolean
  intervalS: number
  timeoutMs: number
  stale: boolean
  asOf: Time
}
export interface HealthEntry {
  checkedAt: Time
  status: string
  responseTimeMs: number | null
  rung: string | null
  errorCode: string | null
  errorMessage: string | null
}
export interface HealthStatistics {
  from: Time
  to: Time
  count: number
  successRate: number | null
  averageMs: number | null
  p50Ms: number | null
  p95Ms: number | null
  p99Ms: number | null
  uptime: number | null
  coverage: number
}
export interface UptimeBar {
  from: Time
  to: Time
  healthyMs: number
  degradedMs: number
  downMs: number
}
export interface Uptime {
  window: string
  uptime: number | null
  coverage: number
  bars: UptimeBar[]
}
export interface QuotaPoint {
  at: Time
  name: string
  limit: number | null
  remaining: number
  resetsAt: Time | null
  ownCount: boolean
}
export interface IntegrationHealth {
  integrationId: string
  provider: string
  service: string | null
  current: HealthNow
  history: HealthEntry[]
  statistics: HealthStatistics
  uptime: Uptime[]
  quotaHistory: QuotaPoint[]
}
export interface HealthBucket {
  from: Time
  to: Time
  count: number
  ok: number
  failed: number
  averageMs: number | null
  p50Ms: number | null
  p95Ms: number | null
  p99Ms: number | null
  healthyMs: number
  degradedMs: number
  downMs: number
}
export interface ProviderIncident {
  id: string
  provider: string
  cause: string
  summary: string
  openedAt: Time
  closedAt: Time | null
  affected: number
  updates: { at: Time; text: string }[]
}
export interface HealthTotals {
  integrations: number
  healthy: number
  degraded: number
  down: number
  unknown: number
}
export interface ProviderRates {
  provider: string
  name: string
  integrations: number
  healthy: number
  degraded: number
  down: number
  unknown: number
  checks: number
  successRate: number | null
  averageMs: number | null
  p95Ms: number | null
  incident: ProviderIncident | null
  trend: { from: Time; checks: number; failed: number }[]
}
export interface RankedIntegration {
  integrationId: string
  projectId: string
  name: string
  provider: string
}
export type Slow = RankedIntegration & { averageMs: number; p95Ms: number }
export type Failing = RankedIntegration & { failed: number; checks: number }
export interface AdminHealth {
  generatedAt: Time
  window: string
  totals: HealthTotals
  checks: { count: number; successRate: number | null; averageMs: number | null; p95Ms: number | null }
  providers: ProviderRates[]
  trend: { from: Time; checks: number; failed: number; p95Ms: number | null }[]
  slowest: Slow[]
  mostFailing: Failing[]
  incidents: ProviderIncident[]
}
export interface AuthChoice {
  kind: string
  label: string
  fields: string[]
}

/** What an integration in a list says of its checks. */
export interface LastCheck {
  lastCheckAt?: Time | null
  responseTimeMs?: number | null
}

interface Answer<T> {
  200: { headers: Record<string, unknown>; content: { 'application/json': T } }
}
interface ById {
  query?: never
  header?: never
  path: { id: string }
  cookie?: never
}

declare module './schema' {
  interface paths {
    '/api/integrations/{id}/health': { get: { parameters: ById; requestBody?: never; responses: Answer<IntegrationHealth> } }
    '/api/integrations/{id}/health/check': { post: { parameters: ById; requestBody?: never; responses: Answer<{ current: HealthNow; tookMs: number }> } }
    '/api/integrations/{id}/health/history': {
      get: {
        parameters: { query?: { from?: string; to?: string; resolution?: string; limit?: number; cursor?: string }; header?: never; path: { id: string }; cookie?: never }
        requestBody?: never
        responses: Answer<{ items: (HealthEntry | HealthBucket)[]; nextCursor: string | null }>
      }
    }
    '/api/integrations/{id}/reconnect': { post: { parameters: ById; requestBody?: never; responses: Answer<{ url: string }> } }
    '/api/admin/integrations/health': {
      get: { parameters: { query?: { window?: string }; header?: never; path?: never; cookie?: never }; requestBody?: never; responses: Answer<AdminHealth> }
    }
  }
}
