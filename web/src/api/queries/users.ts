import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { request } from '../client'
import { keys } from '../keys'
import { GUARDED } from './guarded'

export const usersQuery = queryOptions({
  queryKey: keys.users,
  queryFn: ({ signal }) => request('get', '/api/users', { signal }),
  select: (list) => list.items,
  ...GUARDED,
})

export function useAddUser() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: { email: string; name: string; operator: boolean }) => request('post', '/api/users', { body }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.users }),
  })
}

export interface UserChange {
  name?: string
  operator?: boolean
  disabled?: boolean
  version: number
}
export function useChangeUser(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: UserChange) => request('patch', '/api/users/{id}', { path: { id }, body }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.users }),
  })
}
export function useResetLink(id: string) {
  return useMutation({ mutationFn: () => request('post', '/api/users/{id}/password-reset', { path: { id } }) })
}
/** Signs them out everywhere, or takes away the authenticator they lost. */
export function useTakeFromUser(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (what: 'sessions' | 'totp') =>
      what === 'sessions'
        ? request('delete', '/api/users/{id}/sessions', { path: { id } })
        : request('delete', '/api/users/{id}/totp', { path: { id } }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.users }),
  })
}
