import { useNavigate, useSearch } from '@tanstack/react-router'
import type { AuditFilters, EventFilters } from '@/api/filters'
import type { ProblemState } from '@/api/types'

/** Everything a page may keep in its address; each route validates the part it uses. */
export interface PageSearch extends EventFilters, AuditFilters {
  /** The event whose drawer is open. */
  event?: string | undefined
  state?: ProblemState | undefined
  tab?: string | undefined
  /** How far back charts and rates look. */
  window?: string | undefined
  /** The part of time that charts show: `<from>-<to>` in milliseconds. */
  zoom?: string | undefined
  /** The column a table is sorted by; with a minus, the largest first. */
  sort?: string | undefined
  /** Why the identity provider's answer was of no use. */
  failed?: string | undefined
}

/** What the address says, and a way to change a part of it without a new history entry. */
export function usePageSearch(): [PageSearch, (change: PageSearch) => void] {
  const search: PageSearch = useSearch({ strict: false })
  const navigate = useNavigate()
  return [search, (change) => void navigate(keepPage((before) => ({ ...before, ...change }), true))]
}

/** The address of this page with another search; for `Link` and `navigate` alike. */
export function keepPage(search: (before: PageSearch) => PageSearch, replace = false) {
  return { to: '.', search: search as never, replace, resetScroll: false } as const
}

/** Opens (or, with undefined, closes) the event drawer over the page. */
export const withEvent = (event: string | undefined) => keepPage((before) => ({ ...before, event }))

/** The event filters among what the address says. */
export function eventFilters({ status, provider, category, severity, kind, q }: PageSearch): EventFilters {
  return { status, provider, category, severity, kind, q }
}

/** The audit filters among what the address says. */
export function auditFilters({ actor, action, result, from, to, q }: PageSearch): AuditFilters {
  return { actor, action, result, from, to, q }
}
