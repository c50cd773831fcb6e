import { queryOptions, useMutation, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { inProject, request } from '../client'
import type { ProblemFilters } from '../filters'
import { keys } from '../keys'
import type { Problem, ProblemState } from '../types'
import { severityRank } from '../words'

const PROBLEMS_PER_PAGE = 100

export const problemsQuery = (filters: ProblemFilters) =>
  queryOptions({
    queryKey: keys.problems(filters),
    queryFn: ({ signal }) =>
      request('get', '/api/problems', {
        signal,
        query: inProject({ ...filters, limit: PROBLEMS_PER_PAGE }),
      }),
    select: (page) => page.items.toSorted(worstFirst),
  })

export const problemQuery = (id: string) =>
  queryOptions({
    queryKey: keys.problem(id),
    queryFn: ({ signal }) => request('get', '/api/problems/{id}', { path: { id }, signal }),
  })

/** By severity, then the one seen last. */
function worstFirst(a: Problem, b: Problem): number {
  const bySeverity = severityRank(a.classification.severity) - severityRank(b.classification.severity)
  return bySeverity || Date.parse(b.lastSeen) - Date.parse(a.lastSeen)
}

export interface ProblemChange {
  problem: Problem
  state?: ProblemState
  ownerId?: string | null
}

export function useChangeProblem() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ problem, ...change }: ProblemChange) =>
      request('patch', '/api/problems/{id}', {
        path: { id: problem.id },
        body: { ...change, version: problem.version },
      }),
    onSettled: (changed) => {
      if (changed) client.setQueryData(keys.problem(changed.id), changed)
      return refreshProblems(client)
    },
  })
}

function refreshProblems(client: QueryClient) {
  void client.invalidateQueries({ queryKey: keys.overview })
  void client.invalidateQueries({ queryKey: ['problem'] })
  void client.invalidateQueries({ queryKey: keys.integrations })
  void client.invalidateQueries({ queryKey: ['integration'], predicate: (query) => query.queryKey.length === 2 })
  return client.invalidateQueries({ queryKey: keys.allProblems })
}
