import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { request } from '../client'
import { keys } from '../keys'
import type { Session } from '../types'
import { chooseProject, enter } from './session'

// Tokens travel in bodies: addresses end up in logs.
export const invitationQuery = (token: string) =>
  queryOptions({
    queryKey: keys.invitation(token),
    queryFn: ({ signal }) => request('post', '/api/invitations/look', { body: { token }, signal }),
    staleTime: Infinity,
  })
export const resetQuery = (token: string) =>
  queryOptions({
    queryKey: keys.reset(token),
    queryFn: ({ signal }) => request('post', '/api/password-reset/look', { body: { token }, signal }),
    staleTime: Infinity,
  })

export interface NewAccount {
  token: string
  email: string
  name: string
  password: string
}

/** Joins with a new account. */
export function useJoin() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: NewAccount) => request('post', '/api/invitations/join', { body }),
    onSuccess: (session) => enter(client, session),
  })
}

/** Joins as the person who is signed in, and shows the project they joined. */
export function useAccept() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (token: string) => request('post', '/api/invitations/accept', { body: { token } }),
    onSuccess: (session) => {
      const before = new Set(client.getQueryData<Session>(keys.session)?.projects.map((project) => project.id))
      const joined = session.projects.find((project) => !before.has(project.id))
      if (joined) chooseProject(joined.id)
      enter(client, session)
    },
  })
}

export function useResetPassword() {
  return useMutation({
    mutationFn: (body: { token: string; password: string }) => request('post', '/api/password-reset', { body }),
  })
}
