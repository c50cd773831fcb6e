import { http, HttpResponse, type RequestHandler } from 'msw'
import type { IntegrationHealth } from '@/api/types'
import { notFound } from './answers'
import { aHealth, anAdminHealth, notChecked, someHours } from './factories-health'
import { guard } from './guard'
import type { World } from './world'

const MINUTE_MS = 60_000

/** Checks: what stands of them, checking now, and the operator's view over all. */
export function healthHandlers(world: World): RequestHandler[] {
  const checkedAt = new Map<string, number>()
  const find = (id: unknown) => world.integrations.find((item) => item.id === id)
  const healthOf = (id: string): IntegrationHealth | null => {
    const integration = find(id)
    if (!integration) return null
    const set = world.health.get(id)
    if (set) return set
    // Who has never been heard of was not checked either.
    return integration.score === null ? notChecked(integration, world.now()) : aHealth(integration, world.now())
  }
  return [
    http.get('*/api/admin/integrations/health', ({ request }) => guard(world) ?? HttpResponse.json(anAdminHealth(new URL(request.url).searchParams.get('window') ?? '24h', world.now()))),
    http.get('*/api/integrations/:id/health', ({ params }) => {
      const health = healthOf(String(params['id']))
      return health ? HttpResponse.json(health) : notFound()
    }),
    http.post('*/api/integrations/:id/health/check', ({ params }) => {
      const id = String(params['id'])
      const integration = find(id)
      if (!integration) return notFound()
      const left = (checkedAt.get(id) ?? -MINUTE_MS) + MINUTE_MS - world.now()
      if (left > 0) {
        const retryAfter = Math.ceil(left / 1000)
        return HttpResponse.json({ error: { code: 'rate_limited', message: `Checked less than a minute ago. Try again in ${retryAfter} s.`, retryAfter } }, { status: 429 })
      }
      checkedAt.set(id, world.now())
      const health = aHealth(integration, world.now(), { lastCheckAt: new Date(world.now()).toISOString() })
      world.health.set(id, health)
      return HttpResponse.json({ current: health.current, tookMs: health.current.responseTimeMs })
    }),
    http.get('*/api/integrations/:id/health/history', ({ request }) => {
      const limit = Number(new URL(request.url).searchParams.get('limit') ?? 24)
      return HttpResponse.json({ items: someHours(limit - 1, world.now()), nextCursor: null })
    }),
  ]
}
