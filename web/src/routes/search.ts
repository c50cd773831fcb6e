import { CATEGORIES, HEALTH_ORDER, SEVERITIES, STATES } from '@/api/words'
import type { EventFilters, ProblemFilters } from '@/api/filters'
import type { Category, EventKind, Health, ProblemState, Severity } from '@/api/types'

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
export const wizardSearch = (raw: Raw): { provider?: string | undefined } => ({ provider: text(raw['provider']) })
export const drawerSearch = (raw: Raw): { event?: string | undefined } => ({ event: text(raw['event']) })
export const signInSearch = (raw: Raw): { next?: string | undefined } => ({ next: text(raw['next']) })
export const setupSearch = (raw: Raw): { token?: string | undefined } => ({ token: text(raw['token']) })
