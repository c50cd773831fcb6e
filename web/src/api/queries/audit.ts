import { infiniteQueryOptions, useMutation } from '@tanstack/react-query'
import { inProject, request, url } from '../client'
import type { AuditFilters, AuditScope } from '../filters'
import { keys } from '../keys'
import type { AuditEntry, Page } from '../types'
import { GUARDED } from './guarded'

const ROWS_PER_PAGE = 50

/** Days become moments: from the first moment of one to the last of the other, by the clock of this browser. */
function moments({ from, to, ...rest }: AuditFilters) {
  return {
    ...rest,
    ...(from && { from: new Date(`${from}T00:00:00`).toISOString() }),
    ...(to && { to: new Date(`${to}T23:59:59.999`).toISOString() }),
  }
}
const queryOf = (scope: AuditScope, filters: AuditFilters) =>
  scope === 'installation' ? { scope, ...moments(filters) } : inProject({ scope, ...moments(filters) })

export const auditQuery = (scope: AuditScope, filters: AuditFilters) =>
  infiniteQueryOptions({
    queryKey: keys.audit(scope, filters),
    queryFn: ({ signal, pageParam }) =>
      request('get', '/api/audit', {
        signal,
        query: { ...queryOf(scope, filters), limit: ROWS_PER_PAGE, ...(pageParam !== null && { cursor: pageParam }) },
      }) as Promise<Page<AuditEntry>>,
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    staleTime: 0,
    ...GUARDED,
  })

/** Where the rows under these filters are to be had as a file. */
export const auditFile = (scope: AuditScope, filters: AuditFilters, format: 'csv' | 'json') =>
  url('/api/audit/export', { ...queryOf(scope, filters), format })

export function useCheckAudit() {
  return useMutation({ mutationFn: () => request('get', '/api/audit/check', {}) })
}

/** Asks for the proof that a download needs and cannot ask for itself. */
export function useAllowAuditFile(scope: AuditScope) {
  return useMutation({ mutationFn: () => request('get', '/api/audit', { query: { ...queryOf(scope, {}), limit: 1 } }) })
}
