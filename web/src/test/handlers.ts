import { http, HttpResponse, type RequestHandler } from 'msw'
import { matches, type EventFilters } from '@/api/filters'
import type { EventDetail, Overview } from '@/api/types'
import { HEALTH_ORDER } from '@/api/words'
import { failed, notFound } from './answers'
import { buckets } from './factories'
import { FAILURES } from './fixtures/failures'
import { PROVIDERS } from './fixtures/providers'
import { adminHandlers } from './handlers-admin'
import { healthHandlers } from './handlers-health'
import { integrationHandlers } from './handlers-integrations'
import { profileHandlers } from './handlers-profile'
import { projectHandlers } from './handlers-project'
import { sessionHandlers } from './handlers-session'
import { streamHandler } from './stream'
import { contractor, type World } from './world'

/** The API over a world; tests and `npm run dev:mock` share it. */
export function handlers(world: World): RequestHandler[] {
  return [
    // Before `/api/integrations/:id`, which would match its path.
    streamHandler(world),
    ...sessionHandlers(world),
    ...profileHandlers(world),
    ...projectHandlers(world),
    ...adminHandlers(world),
    ...overviewHandlers(world),
    ...eventHandlers(world),
    ...problemHandlers(world),
    ...healthHandlers(world),
    ...integrationHandlers(world),
    ...providerHandlers(),
  ]
}

/** The same over a world that goes on living. */
export function liveHandlers(): RequestHandler[] {
  const world = contractor(() => Date.now())
  // As after a while of looking around: the first visit to people and access asks for a proof.
  world.people.proven = false
  const every = 2600
  setInterval(() => {
    const failure = world.random() < 0.12 ? FAILURES[Math.floor(world.random() * FAILURES.length)] : undefined
    const provider = failure?.provider ?? ['procore', 'stripe', 'quickbooks'][Math.floor(world.random() * 3)]
    const integration = world.integrations.find((item) => item.provider === provider && item.enabled)
    if (integration) world.emit('event', world.addEvent(integration, Date.now(), failure ?? null))
  }, every).unref()
  return handlers(world)
}

function overviewHandlers(world: World): RequestHandler[] {
  return [
    http.get('*/api/overview', () => HttpResponse.json(overview(world))),
    http.get('*/api/demo', () => HttpResponse.json(demo(world))),
    http.post('*/api/demo', () => {
      world.demo = true
      if (world.integrations.length === 0) Object.assign(world, { integrations: contractor(world.now).integrations })
      return HttpResponse.json(demo(world))
    }),
    http.delete('*/api/demo', () => {
      Object.assign(world, { demo: false, integrations: [], problems: [], events: [] })
      return new HttpResponse(null, { status: 204 })
    }),
  ]
}

const demo = (world: World) => ({ loaded: world.demo, running: world.demo, integrations: world.demo ? world.integrations.length : 0 })

function overview(world: World): Overview {
  const total = world.integrations.reduce((sum, item) => sum + item.record24h.total, 0)
  const failures = world.integrations.reduce((sum, item) => sum + item.record24h.errors, 0)
  const perHour = buckets(world.now(), (hour) => {
    const hours = world.integrations.flatMap((item) => item.sparkline[hour] ?? [])
    return [hours.reduce((sum, bucket) => sum + bucket.ok, 0), hours.reduce((sum, bucket) => sum + bucket.failed, 0)]
  })
  const troubled = world.integrations.filter((item) => item.health === 'down' || item.health === 'degraded')
  return {
    project: { id: 'project-1', slug: 'default', name: 'Acme Builders' },
    generatedAt: new Date(world.now()).toISOString(),
    health: {
      healthy: world.integrations.filter((item) => item.health === 'healthy').length,
      degraded: world.integrations.filter((item) => item.health === 'degraded').length,
      down: world.integrations.filter((item) => item.health === 'down').length,
      unknown: world.integrations.filter((item) => item.health === 'unknown').length,
    },
    events24h: { total, failures, successRate: total === 0 ? null : (100 * (total - failures)) / total, perHour },
    openProblems: world.problems.filter((problem) => problem.state === 'open').length,
    helpful: world.marks,
    needsAttention: troubled.toSorted((a, b) => HEALTH_ORDER.indexOf(a.health) - HEALTH_ORDER.indexOf(b.health)).map((item) => item.id),
    demo: { loaded: world.demo },
  }
}

function eventHandlers(world: World): RequestHandler[] {
  const find = (id: unknown) => world.events.find((event) => event.id === id)
  const detail = (event: EventDetail): EventDetail => ({
    ...event,
    problem: world.problems.find((problem) => problem.id === event.problemId) ?? null,
    similar: event.problemId ? world.events.filter((other) => other.problemId === event.problemId && other !== event).slice(0, 5) : [],
  })
  return [
    http.get('*/api/events', ({ request }) => {
      const query = Object.fromEntries(new URL(request.url).searchParams)
      const found = world.events.filter((event) => matches(event, query as EventFilters))
      const start = Number(query['cursor'] ?? 0)
      const end = start + Number(query['limit'] ?? 50)
      return HttpResponse.json({ items: found.slice(start, end), nextCursor: end < found.length ? String(end) : null })
    }),
    http.get('*/api/events/:id', ({ params }) => {
      const event = find(params['id'])
      return event ? HttpResponse.json(detail(event)) : notFound()
    }),
    http.post('*/api/events/:id/feedback', async ({ params, request }) => {
      const event = find(params['id'])
      if (!event) return notFound()
      const given = (await request.json()) as Partial<EventDetail['feedback']>
      event.feedback = { ...event.feedback, ...given }
      if (given.helpful === true) world.marks = { ...world.marks, yes: world.marks.yes + 1 }
      if (given.helpful === false) world.marks = { ...world.marks, no: world.marks.no + 1 }
      return HttpResponse.json(event.feedback)
    }),
  ]
}

function problemHandlers(world: World): RequestHandler[] {
  const find = (id: unknown) => world.problems.find((problem) => problem.id === id)
  return [
    http.get('*/api/problems', ({ request }) => {
      const query = new URL(request.url).searchParams
      const items = world.problems.filter(
        (problem) =>
          (!query.has('state') || problem.state === query.get('state')) &&
          (!query.has('integration') || problem.integrationId === query.get('integration')) &&
          (!query.has('category') || problem.classification.category === query.get('category')) &&
          (!query.has('severity') || problem.classification.severity === query.get('severity')),
      )
      return HttpResponse.json({ items, nextCursor: null })
    }),
    http.get('*/api/problems/:id', ({ params }) => {
      const problem = find(params['id'])
      return problem ? HttpResponse.json(problem) : notFound()
    }),
    http.patch('*/api/problems/:id', async ({ params, request }) => {
      const problem = find(params['id'])
      if (!problem) return notFound()
      const { ownerId, version, ...change } = (await request.json()) as { ownerId?: string | null; version: number }
      if (version !== problem.version) return failed(409, 'stale_version', 'Somebody changed this problem meanwhile; look again.')
      Object.assign(problem, change, { version: problem.version + 1 })
      if (ownerId !== undefined) problem.owner = ownerId === null ? null : { id: ownerId, name: 'Mara Novak' }
      return HttpResponse.json(problem)
    }),
  ]
}

function providerHandlers(): RequestHandler[] {
  return [
    http.get('*/api/providers', () => HttpResponse.json({ items: PROVIDERS })),
    http.get('*/api/providers/:key/icon.svg', ({ params }) => {
      const provider = PROVIDERS.find((item) => item.key === params['key'])
      return provider ? new HttpResponse(provider.icon, { headers: { 'content-type': 'image/svg+xml' } }) : notFound()
    }),
  ]
}
