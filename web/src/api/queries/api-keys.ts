import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { inProject, request } from '../client'
import { keys } from '../keys'
import type { Role, Scope } from '../types'
import { GUARDED } from './guarded'

export const apiKeysQuery = queryOptions({
  queryKey: keys.apiKeys,
  queryFn: ({ signal }) => request('get', '/api/keys', { signal, query: inProject({}) }),
  select: (list) => list.items,
  ...GUARDED,
})

export interface NewApiKey {
  name: string
  role: Role
  scopes: Scope[]
  expiresInDays?: number
}
export function useCreateApiKey() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: NewApiKey) => request('post', '/api/keys', { body: inProject(body) }),
    onSuccess: () => refreshKeys(client),
  })
}
export function useRevokeApiKey() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => request('delete', '/api/keys/{id}', { path: { id }, query: inProject({}) }),
    onSuccess: () => refreshKeys(client),
  })
}

function refreshKeys(client: ReturnType<typeof useQueryClient>) {
  void client.invalidateQueries({ queryKey: keys.profileKeys })
  return client.invalidateQueries({ queryKey: keys.apiKeys })
}
