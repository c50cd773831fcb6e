import { queryOptions, useMutation, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { inProject, request } from '../client'
import { keys } from '../keys'
import type { IntegrationDetail, Json, List, Rejection, WebhookSecret } from '../types'

export const providersQuery = queryOptions({
  queryKey: keys.providers,
  queryFn: ({ signal }) => request('get', '/api/providers', { signal }),
  select: (list) => list.items,
  // The catalogue is compiled into the server; it changes with a new version only.
  staleTime: Infinity,
})
export const integrationsQuery = queryOptions({
  queryKey: keys.integrations,
  queryFn: ({ signal }) => request('get', '/api/integrations', { signal, query: inProject({}) }),
  select: (list) => list.items,
})
export const integrationQuery = (id: string) =>
  queryOptions({
    queryKey: keys.integration(id),
    queryFn: ({ signal }) => request('get', '/api/integrations/{id}', { path: { id }, signal }) as Promise<IntegrationDetail>,
  })
export const secretsQuery = (id: string) =>
  queryOptions({
    queryKey: keys.secrets(id),
    queryFn: ({ signal }) => request('get', '/api/integrations/{id}/webhook-secrets', { path: { id }, signal }) as Promise<List<WebhookSecret>>,
    select: (list) => list.items,
  })
export const rejectionsQuery = (id: string) =>
  queryOptions({
    queryKey: keys.rejections(id),
    queryFn: ({ signal }) => request('get', '/api/integrations/{id}/rejections', { path: { id }, signal }) as Promise<List<Rejection>>,
    select: (list) => list.items,
  })

export interface NewIntegration {
  provider: string
  name: string
  settings: Record<string, Json>
  webhookSecret?: string
}
export interface IntegrationChange {
  name?: string
  enabled?: boolean
  settings?: Record<string, Json>
  version: number
}

function refresh(client: QueryClient, id?: string) {
  void client.invalidateQueries({ queryKey: keys.overview })
  if (id) void client.invalidateQueries({ queryKey: keys.integration(id) })
  return client.invalidateQueries({ queryKey: keys.integrations })
}

export function useCreateIntegration() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: NewIntegration) =>
      request('post', '/api/integrations', { body: inProject(body) }),
    onSuccess: () => refresh(client),
  })
}
export function useChangeIntegration(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: IntegrationChange) => request('patch', '/api/integrations/{id}', { path: { id }, body }),
    // A stale version is a 409: show what the other person wrote.
    onSettled: () => refresh(client, id),
  })
}
export function useDeleteIntegration(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => request('delete', '/api/integrations/{id}', { path: { id } }),
    onSuccess: () => {
      client.removeQueries({ queryKey: keys.integration(id) })
      void client.invalidateQueries({ queryKey: keys.allProblems })
      return refresh(client)
    },
  })
}
export function useAddSecret(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (secret: string | undefined) =>
      request('post', '/api/integrations/{id}/webhook-secrets', { path: { id }, body: secret ? { secret } : {} }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.secrets(id) }),
  })
}
export function useRetireSecret(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ secretId, graceSeconds }: { secretId: string; graceSeconds: number }) =>
      request('post', '/api/integrations/{id}/webhook-secrets/{secretId}/retire', {
        path: { id, secretId },
        body: { graceSeconds },
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.secrets(id) }),
  })
}
/** Binds the provider's short address to this integration, or frees it. */
export function useAlias(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (bound: boolean) => request(bound ? 'post' : 'delete', '/api/integrations/{id}/alias', { path: { id } }),
    onSuccess: () => refresh(client, id),
  })
}
