import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { inProject, request } from '../client'
import { keys } from '../keys'
import type { Role } from '../types'

export const membersQuery = queryOptions({
  queryKey: keys.members,
  queryFn: ({ signal }) => request('get', '/api/members', { signal, query: inProject({}) }),
  select: (list) => list.items,
})
export const apiKeysQuery = queryOptions({
  queryKey: keys.apiKeys,
  queryFn: ({ signal }) => request('get', '/api/keys', { signal, query: inProject({}) }),
  select: (list) => list.items,
})
export const auditQuery = queryOptions({
  queryKey: keys.audit,
  queryFn: ({ signal }) => request('get', '/api/audit', { signal, query: inProject({}) }),
  select: (list) => list.items,
  staleTime: 0,
})

export function useCreateApiKey() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: { name: string; role: Role }) =>
      request('post', '/api/keys', { body: inProject(body) }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.apiKeys }),
  })
}
export function useRevokeApiKey() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => request('delete', '/api/keys/{id}', { path: { id } }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.apiKeys }),
  })
}
