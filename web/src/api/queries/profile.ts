import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { request } from '../client'
import { keys } from '../keys'
import type { Profile } from '../types'
import { GUARDED } from './guarded'

export const profileQuery = queryOptions({
  queryKey: keys.profile,
  queryFn: ({ signal }) => request('get', '/api/profile', { signal }),
})
export const profileSessionsQuery = queryOptions({
  queryKey: keys.profileSessions,
  queryFn: ({ signal }) => request('get', '/api/profile/sessions', { signal }),
  select: (list) => list.items,
  staleTime: 0,
})
export const profileKeysQuery = queryOptions({
  queryKey: keys.profileKeys,
  queryFn: ({ signal }) => request('get', '/api/profile/keys', { signal }),
  select: (list) => list.items,
  ...GUARDED,
})

export function useChangeProfile() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: { name: string; version: number }) => request('patch', '/api/profile', { body }),
    onSuccess: (profile) => {
      client.setQueryData<Profile>(keys.profile, profile)
      return client.invalidateQueries({ queryKey: keys.session })
    },
  })
}

export function useChangePassword() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: { current?: string; password: string }) => request('put', '/api/profile/password', { body }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.profile }),
  })
}

/** Begins: the answer is scanned, then confirmed with the first code. */
export function useBeginTotp() {
  return useMutation({ mutationFn: () => request('post', '/api/profile/totp', {}) })
}
export function useConfirmTotp() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (code: string) => request('put', '/api/profile/totp', { body: { code } }),
    onSuccess: () => refreshSecurity(client),
  })
}
export function useUnlinkIdentities() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => request('delete', '/api/profile/identities', {}),
    onSuccess: () => refreshSecurity(client),
  })
}
export function useRemoveTotp() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => request('delete', '/api/profile/totp', {}),
    onSuccess: () => refreshSecurity(client),
  })
}
export function useRenewRecoveryCodes() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => request('post', '/api/profile/totp/recovery-codes', {}),
    onSuccess: () => refreshSecurity(client),
  })
}

/** The session says how one proves who one is, and that has changed too. */
function refreshSecurity(client: ReturnType<typeof useQueryClient>) {
  void client.invalidateQueries({ queryKey: keys.session })
  return client.invalidateQueries({ queryKey: keys.profile, exact: true })
}

/** Ends one session; without an id every one but this. */
export function useEndSession() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string | null) =>
      id === null ? request('delete', '/api/profile/sessions', {}) : request('delete', '/api/profile/sessions/{id}', { path: { id } }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.profileSessions }),
  })
}

export function useRevokeMyKey() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => request('delete', '/api/profile/keys/{id}', { path: { id } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: keys.apiKeys })
      return client.invalidateQueries({ queryKey: keys.profileKeys })
    },
  })
}
