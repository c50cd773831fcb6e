import { QueryClient, type InfiniteData } from '@tanstack/react-query'
import { expect, test } from 'vitest'
import { ago, anEvent, anIntegration, HOUR, NOW } from '@/test/factories'
import { keys } from './keys'
import { applyEvents, applyMessages, LIVE_BUFFER } from './patch'
import type { EventItem, Integration, List, Page } from './types'

const pageOf = (...items: EventItem[]): InfiniteData<Page<EventItem>> => ({
  pages: [{ items, nextCursor: null }],
  pageParams: [null],
})
const itemsOf = (client: QueryClient, filters: Parameters<typeof keys.events>[0]) =>
  client.getQueryData<InfiniteData<Page<EventItem>>>(keys.events(filters))?.pages[0]?.items ?? []

test('a new event goes to the top of the lists whose filters it passes, once', () => {
  const client = new QueryClient()
  client.setQueryData(keys.events({}), pageOf(anEvent({ id: 'old', seq: 1 })))
  client.setQueryData(keys.events({ status: 'success' }), pageOf())
  const fresh = anEvent({ id: 'new', seq: 2 })
  applyEvents(client, [fresh])
  applyEvents(client, [fresh])
  expect(itemsOf(client, {}).map((event) => event.id)).toEqual(['new', 'old'])
  expect(itemsOf(client, { status: 'success' })).toEqual([])
})

test('a live list keeps a bounded number of events', () => {
  const client = new QueryClient()
  client.setQueryData(keys.events({}), pageOf())
  applyEvents(client, Array.from({ length: LIVE_BUFFER + 5 }, (_, index) => anEvent({ id: `event-${index}`, seq: index })))
  expect(itemsOf(client, {})).toHaveLength(LIVE_BUFFER)
  expect(itemsOf(client, {})[0]?.seq).toBe(LIVE_BUFFER + 4)
})

test('an integration counts the event into its hour and shows it last', () => {
  const client = new QueryClient()
  client.setQueryData<List<Integration>>(keys.integrations, { items: [anIntegration()] })
  const at = new Date(NOW).toISOString()
  applyEvents(client, [anEvent({ id: 'new', receivedAt: at })])
  const patched = client.getQueryData<List<Integration>>(keys.integrations)?.items[0]
  expect(patched?.sparkline.at(-1)).toMatchObject({ ok: 6, failed: 1 })
  expect(patched?.lastFailureAt).toBe(at)
  expect(patched?.lastEvents.map((event) => event.id)).toEqual(['new'])
})

test('an event of the next hour opens a new bar and drops the oldest', () => {
  const client = new QueryClient()
  client.setQueryData<List<Integration>>(keys.integrations, { items: [anIntegration()] })
  applyEvents(client, [anEvent({ receivedAt: ago(-HOUR), status: 'success' })])
  const sparkline = client.getQueryData<List<Integration>>(keys.integrations)?.items[0]?.sparkline
  expect(sparkline).toHaveLength(24)
  expect(sparkline?.at(-1)).toEqual({ at: '2026-11-21T10:00:00.000Z', ok: 1, failed: 0 })
})

test('a status message replaces the health and nothing else', () => {
  const client = new QueryClient()
  client.setQueryData<List<Integration>>(keys.integrations, { items: [anIntegration({ name: 'Payroll' })] })
  const status = { id: 'integration-1', health: 'down', reasons: [{ code: 'streak', message: '3 calls failed' }] }
  applyMessages(client, [{ event: 'status', id: '5', data: JSON.stringify(status) }])
  expect(client.getQueryData<List<Integration>>(keys.integrations)?.items[0]).toMatchObject({ name: 'Payroll', health: 'down' })
})
