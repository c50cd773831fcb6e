import type { InfiniteData, QueryClient } from '@tanstack/react-query'
import { matches, type EventFilters } from './filters'
import { keys } from './keys'
import type { SseMessage } from './sse'
import type {
  Bucket,
  EventItem,
  Integration,
  IntegrationDetail,
  IntegrationStatus,
  List,
  Overview,
  Page,
  StreamedEvent,
} from './types'

/** Events a live list keeps; older ones are a "load older" away. */
export const LIVE_BUFFER = 200
/** Newest events an integration's card shows. */
const CARD_EVENTS = 3
const HOUR_MS = 3_600_000

/** Applies messages of the live stream to what is in the cache. Nothing is fetched here. */
export function applyMessages(client: QueryClient, messages: SseMessage[]) {
  const events: StreamedEvent[] = []
  for (const message of messages) {
    if (message.event === 'event') events.push(JSON.parse(message.data) as StreamedEvent)
    else if (message.event === 'status') applyStatus(client, JSON.parse(message.data) as IntegrationStatus)
  }
  if (events.length > 0) applyEvents(client, events)
}

export function applyEvents(client: QueryClient, events: StreamedEvent[]) {
  for (const query of client.getQueryCache().findAll({ queryKey: keys.allEvents })) {
    const filters = (query.queryKey[1] ?? {}) as EventFilters
    const wanted = events.filter((event) => matches(event, filters))
    if (wanted.length === 0) continue
    client.setQueryData<InfiniteData<Page<EventItem>>>(query.queryKey, (data) => data && prepend(data, wanted))
  }
  const patch = <T extends Integration>(integration: T): T =>
    events.filter((event) => event.integrationId === integration.id).reduce(withEvent, integration)
  updateIntegrations(client, patch)
  client.setQueryData<Overview>(keys.overview, (overview) => overview && events.reduce(countEvent, overview))
}

function applyStatus(client: QueryClient, status: IntegrationStatus) {
  updateIntegrations(client, (integration) => (integration.id === status.id ? { ...integration, ...status } : integration))
}

function updateIntegrations(client: QueryClient, patch: <T extends Integration>(integration: T) => T) {
  client.setQueryData<List<Integration>>(keys.integrations, (list) => list && { ...list, items: list.items.map(patch) })
  client.setQueriesData<IntegrationDetail>(
    { queryKey: ['integration'], predicate: (query) => query.queryKey.length === 2 },
    (detail) => detail && patch(detail),
  )
}

function prepend(data: InfiniteData<Page<EventItem>>, events: StreamedEvent[]): InfiniteData<Page<EventItem>> {
  const [first, ...rest] = data.pages
  if (!first) return data
  const known = new Set(first.items.map((item) => item.id))
  const fresh = events
    .filter((event) => !known.has(event.id))
    .map((event): EventItem => ({ error: null, classification: null, quarantined: false, ...event }))
    .toReversed()
  // Cutting the first page would leave a hole before the second, so only a lone page is cut.
  const items = [...fresh, ...first.items]
  return { ...data, pages: [{ ...first, items: rest.length > 0 ? items : items.slice(0, LIVE_BUFFER) }, ...rest] }
}

function withEvent<T extends Integration>(integration: T, event: StreamedEvent): T {
  if (integration.lastEvents.some((known) => known.id === event.id)) return integration
  return {
    ...integration,
    lastEvents: [event, ...integration.lastEvents].slice(0, CARD_EVENTS),
    lastEventAt: event.receivedAt,
    ...(event.kind === 'check' && { lastCheckAt: event.receivedAt }),
    ...(event.status === 'success' && { lastSuccessAt: event.receivedAt }),
    ...(event.status === 'failure' && { lastFailureAt: event.receivedAt }),
    sparkline: countInto(integration.sparkline, event),
  }
}

function countEvent(overview: Overview, event: StreamedEvent): Overview {
  const failed = event.status === 'failure' ? 1 : 0
  if (event.status === null) return overview
  const total = overview.events24h.total + 1
  const failures = overview.events24h.failures + failed
  const successRate = (100 * (total - failures)) / total
  return {
    ...overview,
    events24h: { total, failures, successRate, perHour: countInto(overview.events24h.perHour, event) },
  }
}

/** Adds an event to its hour, opening a new hour (and dropping the oldest) when one has begun. */
function countInto(buckets: Bucket[], event: StreamedEvent): Bucket[] {
  const last = buckets.at(-1)
  if (!last || event.status === null) return buckets
  const at = Date.parse(event.receivedAt)
  const start = Date.parse(last.at)
  const hour = { at: last.at, ok: last.ok, failed: last.failed }
  const open = at >= start + HOUR_MS
  if (open) {
    hour.at = new Date(at - (at % HOUR_MS)).toISOString()
    hour.ok = 0
    hour.failed = 0
  }
  if (event.status === 'failure') hour.failed += 1
  else hour.ok += 1
  return open ? [...buckets.slice(1), hour] : [...buckets.slice(0, -1), hour]
}
