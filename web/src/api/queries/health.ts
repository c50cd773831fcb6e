import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { request, url } from '../client'
import type { AdminWindow, HealthWindow } from '../filters'
import { keys } from '../keys'
import type { HealthBucket, IntegrationHealth } from '../types'
import { GUARDED } from './guarded'

/** Changes of health come by the live stream; the numbers of checks that went well are asked for this often. */
const REFRESH_MS = 30_000

export const healthQuery = (id: string) =>
  queryOptions({
    queryKey: keys.health(id),
    queryFn: ({ signal }) => request('get', '/api/integrations/{id}/health', { path: { id }, signal }),
    refetchInterval: REFRESH_MS,
  })

const HOUR_MS = 3_600_000
const WINDOW_HOURS = { '24h': 24, '7d': 168, '30d': 720 }

/** The hours of a window, oldest first. `latest` needs none: the health answer carries the last checks. */
export const hourlyQuery = (id: string, window: HealthWindow) =>
  queryOptions({
    queryKey: keys.healthHistory(id, window),
    queryFn: async ({ signal }) => {
      const hours = window === 'latest' ? 24 : WINDOW_HOURS[window]
      const from = new Date(Date.now() - hours * HOUR_MS).toISOString()
      const page = await request('get', '/api/integrations/{id}/health/history', { path: { id }, query: { from, resolution: 'hour', limit: hours + 1 }, signal })
      return page.items.filter((item): item is HealthBucket => 'p50Ms' in item).toSorted((a, b) => a.from.localeCompare(b.from))
    },
    enabled: window !== 'latest',
    staleTime: REFRESH_MS,
  })

/** Runs a check at once and waits for it. */
export function useCheckNow(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => request('post', '/api/integrations/{id}/health/check', { path: { id } }),
    onSuccess: ({ current }) => {
      client.setQueryData<IntegrationHealth>(keys.health(id), (health) => health && { ...health, current })
      void client.invalidateQueries({ queryKey: keys.overview })
      void client.invalidateQueries({ queryKey: keys.integrations })
      return client.invalidateQueries({ queryKey: keys.integration(id) })
    },
  })
}

/** Goes to the provider to sign in; it leads back to the integration's page. */
export const useReconnect = (id: string) =>
  useMutation({
    mutationFn: () => request('post', '/api/integrations/{id}/reconnect', { path: { id } }),
    onSuccess: ({ url: address }) => globalThis.location.assign(address),
  })

export type FileFormat = 'csv' | 'json'
/** The address of the file with the checks of one integration. */
export const healthFile = (id: string, format: FileFormat) => url(`/api/integrations/${encodeURIComponent(id)}/health/export`, { format })

export const adminHealthQuery = (window: AdminWindow) =>
  queryOptions({
    queryKey: keys.adminHealth(window),
    queryFn: ({ signal }) => request('get', '/api/admin/integrations/health', { query: { window }, signal }),
    ...GUARDED,
  })

export const adminHealthFile = (format: FileFormat, window: AdminWindow, now: number) =>
  url('/api/admin/integrations/health/export', { format, from: new Date(now - WINDOW_HOURS[window] * HOUR_MS).toISOString() })

/** Asks for the proof that a download needs and cannot ask for itself. */
export function useAllowHealthFile(window: AdminWindow) {
  return useMutation({ mutationFn: () => request('get', '/api/admin/integrations/health', { query: { window } }) })
}
