import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { inProject, request } from '../client'
import { keys } from '../keys'
import type { ApiKey, AuditEntry, CreatedApiKey, List, Member, Role } from '../types'

export const membersQuery = queryOptions({
  queryKey: keys.members,
  queryFn: ({ signal }) => request<List<Member>>('GET', '/api/members', { signal, query: inProject({}) }),
  select: (list) => list.items,
})
export const apiKeysQuery = queryOptions({
  queryKey: keys.apiKeys,
  queryFn: ({ signal }) => request<List<ApiKey>>('GET', '/api/keys', { signal, query: inProject({}) }),
  select: (list) => list.items,
})
export const auditQuery = queryOptions({
  queryKey: keys.audit,
  queryFn: ({ signal }) => request<List<AuditEntry>>('GET', '/api/audit', { signal, query: inProject({}) }),
  select: (list) => list.items,
  staleTime: 0,
})

export function useCreateApiKey() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: { name: string; role: Role }) =>
      request<CreatedApiKey>('POST', '/api/keys', { body: inProject(body) }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.apiKeys }),
  })
}
export function useRevokeApiKey() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => request<void>('DELETE', `/api/keys/${encodeURIComponent(id)}`),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.apiKeys }),
  })
}
