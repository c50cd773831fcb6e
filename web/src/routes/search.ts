import { CATEGORIES, HEALTH_ORDER, RESULTS, SEVERITIES, STATES } from '@/api/words'
import type { AuditFilters, EventFilters, ProblemFilters } from '@/api/filters'
import type { AuditResult, Category, EventKind, Health, ProblemState, Severity } from '@/api/types'

type Raw = Record<string, unknown>
const KINDS: EventKind[] = ['webhook', 'check', 'sync', 'action', 'credential', 'health', 'alert']

const text = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
const oneOf = <T extends string>(value: unknown, allowed: readonly T[]): T | undefined =>
  allowed.find((item) => item === value)

/** An address anyone may have typed: what is not understood is left out, never an error. */
export const eventSearch = (raw: Raw): Omit<EventFilters, 'integration'> => ({
  status: oneOf(raw['status'], ['success', 'failure'] as const),
  provider: text(raw['provider']),
  category: oneOf<Category>(raw['category'], CATEGORIES),
  severity: oneOf<Severity>(raw['severity'], SEVERITIES),
  kind: oneOf<EventKind>(raw['kind'], KINDS),
  q: text(raw['q']),
})
export const problemSearch = (raw: Raw): Omit<ProblemFilters, 'integration'> => ({
  state: oneOf<ProblemState>(raw['state'], STATES),
  category: oneOf<Category>(raw['category'], CATEGORIES),
  severity: oneOf<Severity>(raw['severity'], SEVERITIES),
})
export const integrationsSearch = (raw: Raw): { health?: Health | undefined } => ({ health: oneOf<Health>(raw['health'], HEALTH_ORDER) })
export const tabSearch = (raw: Raw): { tab?: string | undefined } => ({ tab: text(raw['tab']) })
/** The window, zoom and order of charts and tables. */
export const chartSearch = (raw: Raw): { window?: string | undefined; zoom?: string | undefined; sort?: string | undefined } => ({
  window: text(raw['window']),
  zoom: text(raw['zoom']),
  sort: text(raw['sort']),
})
export const wizardSearch = (raw: Raw): { provider?: string | undefined } => ({ provider: text(raw['provider']) })
const day = (value: unknown): string | undefined =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value)) ? value : undefined
export const auditSearch = (raw: Raw): AuditFilters & { tab?: string | undefined } => ({
  ...tabSearch(raw),
  actor: text(raw['actor']),
  action: text(raw['action']),
  result: oneOf<AuditResult>(raw['result'], RESULTS),
  from: day(raw['from']),
  to: day(raw['to']),
  q: text(raw['q']),
})
/** Any page of the app: the drawer over it, and what the identity provider sent somebody back with. */
export const drawerSearch = (raw: Raw): { event?: string | undefined; failed?: string | undefined } => ({
  event: text(raw['event']),
  failed: text(raw['failed']),
})
export const signInSearch = (raw: Raw): { next?: string | undefined; failed?: string | undefined } => ({
  next: text(raw['next']),
  failed: text(raw['failed']),
})
export const linkSearch = (raw: Raw): { token?: string | undefined } => ({ token: text(raw['token']) })
