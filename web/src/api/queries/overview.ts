import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { inProject, request } from '../client'
import { keys } from '../keys'
import type { Demo, Overview } from '../types'

export const overviewQuery = queryOptions({
  queryKey: keys.overview,
  queryFn: ({ signal }) => request<Overview>('GET', '/api/overview', { signal, query: inProject({}) }),
})

export const demoQuery = queryOptions({
  queryKey: keys.demo,
  queryFn: ({ signal }) => request<Demo>('GET', '/api/demo', { signal }),
})

/** Loads the demo's integrations and their story, or removes every trace of them. */
export function useDemo() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (action: 'load' | 'remove') => request<Demo | undefined>(action === 'load' ? 'POST' : 'DELETE', '/api/demo'),
    onSuccess: () =>
      client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'session' && query.queryKey[0] !== 'providers' }),
  })
}
