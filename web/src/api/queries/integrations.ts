import { queryOptions, useMutation, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { inProject, request } from '../client'
import { keys } from '../keys'
import type {
  CreatedIntegration,
  CreatedSecret,
  Integration,
  IntegrationDetail,
  Json,
  List,
  ProviderInfo,
  Rejection,
  WebhookSecret,
} from '../types'

const at = (id: string, rest = '') => `/api/integrations/${encodeURIComponent(id)}${rest}`

export const providersQuery = queryOptions({
  queryKey: keys.providers,
  queryFn: ({ signal }) => request<List<ProviderInfo>>('GET', '/api/providers', { signal }),
  select: (list) => list.items,
  // The catalogue is compiled into the server; it changes with a new version only.
  staleTime: Infinity,
})
export const integrationsQuery = queryOptions({
  queryKey: keys.integrations,
  queryFn: ({ signal }) => request<List<Integration>>('GET', '/api/integrations', { signal, query: inProject({}) }),
  select: (list) => list.items,
})
export const integrationQuery = (id: string) =>
  queryOptions({
    queryKey: keys.integration(id),
    queryFn: ({ signal }) => request<IntegrationDetail>('GET', at(id), { signal }),
  })
export const secretsQuery = (id: string) =>
  queryOptions({
    queryKey: keys.secrets(id),
    queryFn: ({ signal }) => request<List<WebhookSecret>>('GET', at(id, '/webhook-secrets'), { signal }),
    select: (list) => list.items,
  })
export const rejectionsQuery = (id: string) =>
  queryOptions({
    queryKey: keys.rejections(id),
    queryFn: ({ signal }) => request<List<Rejection>>('GET', at(id, '/rejections'), { signal }),
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
      request<CreatedIntegration>('POST', '/api/integrations', { body: inProject(body) }),
    onSuccess: () => refresh(client),
  })
}
export function useChangeIntegration(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: IntegrationChange) => request<Integration>('PATCH', at(id), { body }),
    // A stale version is a 409: show what the other person wrote.
    onSettled: () => refresh(client, id),
  })
}
export function useDeleteIntegration(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => request<void>('DELETE', at(id)),
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
      request<CreatedSecret>('POST', at(id, '/webhook-secrets'), { body: secret ? { secret } : {} }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.secrets(id) }),
  })
}
export function useRetireSecret(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ secretId, graceSeconds }: { secretId: string; graceSeconds: number }) =>
      request<WebhookSecret>('POST', at(id, `/webhook-secrets/${encodeURIComponent(secretId)}/retire`), {
        body: { graceSeconds },
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.secrets(id) }),
  })
}
/** Binds the provider's short address to this integration, or frees it. */
export function useAlias(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (bound: boolean) => request<void>(bound ? 'POST' : 'DELETE', at(id, '/alias')),
    onSuccess: () => refresh(client, id),
  })
}
