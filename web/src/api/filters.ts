import type { AuditResult, Category, EventKind, EventSummary, ProblemState, Severity } from './types'

export interface EventFilters {
  status?: 'success' | 'failure' | undefined
  provider?: string | undefined
  integration?: string | undefined
  category?: Category | undefined
  severity?: Severity | undefined
  kind?: EventKind | undefined
  q?: string | undefined
}

export interface ProblemFilters {
  state?: ProblemState | undefined
  integration?: string | undefined
  category?: Category | undefined
  severity?: Severity | undefined
}

/** The rows of one project, or every row of the installation. */
export type AuditScope = 'project' | 'installation'

export interface AuditFilters {
  actor?: string | undefined
  action?: string | undefined
  result?: AuditResult | undefined
  /** Days, as the date inputs write them: the first and the last that are shown. */
  from?: string | undefined
  to?: string | undefined
  q?: string | undefined
}

/** How far back a chart of checks looks; `latest` is each of the last hundred. */
export const HEALTH_WINDOWS = ['latest', '24h', '7d', '30d'] as const
export type HealthWindow = (typeof HEALTH_WINDOWS)[number]
export const ADMIN_WINDOWS = ['24h', '7d', '30d'] as const
export type AdminWindow = (typeof ADMIN_WINDOWS)[number]

/** Whether the server would list this event under these filters; the live stream is not filtered by it. */
export function matches(event: EventSummary, filters: EventFilters): boolean {
  if (filters.status && event.status !== filters.status) return false
  if (filters.provider && event.integration !== filters.provider) return false
  if (filters.integration && event.integrationId !== filters.integration) return false
  if (filters.category && event.category !== filters.category) return false
  if (filters.severity && event.severity !== filters.severity) return false
  if (filters.kind && event.kind !== filters.kind) return false
  if (!filters.q) return true
  const needle = filters.q.toLowerCase()
  return [event.message, event.code, event.eventType].some((text) => text?.toLowerCase().includes(needle))
}
