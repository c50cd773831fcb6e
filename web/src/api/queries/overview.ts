import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { inProject, request } from '../client'
import { keys } from '../keys'

export const overviewQuery = queryOptions({
  queryKey: keys.overview,
  queryFn: ({ signal }) => request('get', '/api/overview', { signal, query: inProject({}) }),
})

export const demoQuery = queryOptions({
  queryKey: keys.demo,
  queryFn: ({ signal }) => request('get', '/api/demo', { signal, query: inProject({}) }),
})

/** Loads the demo's integrations and their story, or removes every trace of them. */
export function useDemo() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: async (action: 'load' | 'remove') => {
      await request(action === 'load' ? 'post' : 'delete', '/api/demo', { query: inProject({}) })
    },
    onSuccess: () =>
      client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'session' && query.queryKey[0] !== 'providers' }),
  })
}
