import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { inProject, request } from '../client'
import { keys } from '../keys'
import type { Member, Role } from '../types'
import { GUARDED } from './guarded'

export const membersQuery = queryOptions({
  queryKey: keys.members,
  queryFn: ({ signal }) => request('get', '/api/members', { signal, query: inProject({}) }),
  select: (list) => list.items,
})
export const invitationsQuery = queryOptions({
  queryKey: keys.invitations,
  queryFn: ({ signal }) => request('get', '/api/invitations', { signal, query: inProject({}) }),
  select: (list) => list.items,
  ...GUARDED,
})

export function useChangeMember(member: Member) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (role: Role) =>
      request('patch', '/api/members/{id}', {
        path: { id: member.userId },
        query: inProject({}),
        body: { role, version: member.version },
      }),
    onSuccess: () => refreshMembers(client),
  })
}
export function useRemoveMember() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => request('delete', '/api/members/{id}', { path: { id }, query: inProject({}) }),
    onSuccess: () => refreshMembers(client),
  })
}

/** One's own membership may be among them. */
function refreshMembers(client: ReturnType<typeof useQueryClient>) {
  void client.invalidateQueries({ queryKey: keys.session })
  return client.invalidateQueries({ queryKey: keys.members })
}

export interface NewInvitation {
  role: Role
  email?: string
  expiresInDays: number
}
export function useInvite() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: NewInvitation) => request('post', '/api/invitations', { body: inProject(body) }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.invitations }),
  })
}
export function useRevokeInvitation() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => request('delete', '/api/invitations/{id}', { path: { id }, query: inProject({}) }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.invitations }),
  })
}
