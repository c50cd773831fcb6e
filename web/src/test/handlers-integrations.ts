import { http, HttpResponse, type RequestHandler } from 'msw'
import type { Integration, Json, WebhookSecret } from '@/api/types'
import { failed, gone } from './answers'
import { buckets } from './factories'
import { PROVIDERS } from './fixtures/providers'
import type { World } from './world'

/** Integrations, their secrets and rejected deliveries, and the webhook receiver itself. */
export function integrationHandlers(world: World): RequestHandler[] {
  const find = (id: unknown) => world.integrations.find((item) => item.id === id)
  const missing = () => failed(404, 'not_found', 'There is no such integration in your projects.')
  return [
    http.get('*/api/integrations', () => HttpResponse.json({ items: world.integrations })),
    http.post('*/api/integrations', async ({ request }) => {
      const body = (await request.json()) as { provider: string; name: string; settings: Record<string, Json>; webhookSecret?: string }
      const provider = PROVIDERS.find((item) => item.key === body.provider)
      if (!provider) return failed(400, 'unknown_provider', `There is no provider "${body.provider}".`)
      const at = new Date(world.now()).toISOString()
      const integration = world.addIntegration({
        provider: body.provider,
        name: body.name,
        settings: body.settings,
        health: 'unknown',
        status: 'unknown',
        healthSince: at,
        score: null,
        scoreParts: { freshness: null, success: null, errorRate: null, caps: [], sentence: 'Nothing has been heard yet.' },
        record24h: { status: 'unknown', successRate: null, total: 0, errors: 0 },
        sparkline: buckets(world.now(), () => [0, 0]),
        lastEventAt: null,
        lastSuccessAt: null,
        checked: provider.capabilities.includes('check'),
        lastCheckAt: null,
        responseTimeMs: null,
      })
      const generated = provider.webhook?.secretGenerated && !body.webhookSecret ? 'whsec_example_made_for_you' : null
      return HttpResponse.json({ integration, webhookUrl: integration.webhook?.url ?? null, webhookSecret: generated }, { status: 201 })
    }),
    http.get('*/api/integrations/:id', ({ params }) => {
      const integration = find(params['id'])
      if (!integration) return missing()
      const problems = world.problems.filter((problem) => problem.integrationId === integration.id && problem.state === 'open')
      return HttpResponse.json({ ...integration, problems: problems.slice(0, 5) })
    }),
    http.patch('*/api/integrations/:id', async ({ params, request }) => {
      const integration = find(params['id'])
      if (!integration) return missing()
      const { version, ...change } = (await request.json()) as Partial<Integration>
      if (version !== integration.version) return failed(409, 'stale_version', 'Somebody changed this integration meanwhile; look again.')
      Object.assign(integration, change, { version: integration.version + 1 })
      return HttpResponse.json(integration)
    }),
    http.delete('*/api/integrations/:id', ({ params }) => {
      world.integrations = world.integrations.filter((item) => item.id !== params['id'])
      return gone()
    }),
    http.post('*/api/integrations/:id/alias', gone),
    http.delete('*/api/integrations/:id/alias', gone),
    http.get('*/api/integrations/:id/rejections', ({ params }) => HttpResponse.json({ items: world.rejections.get(String(params['id'])) ?? [] })),
    ...secretHandlers(world),
    // A delivery to this address is accepted unverified: tests use it to make "the first event" arrive.
    http.post('*/webhooks/:provider/:key', async ({ params }) => {
      const integration = find(String(params['key']).replace('k_', ''))
      if (!integration) return failed(404, 'not_found', 'There is no such webhook address.')
      world.emit('event', world.addEvent(integration, world.now(), null))
      return HttpResponse.json({ received: true })
    }),
  ]
}

function secretHandlers(world: World): RequestHandler[] {
  const secretsOf = (id: unknown) => world.secrets.get(String(id)) ?? []
  return [
    http.get('*/api/integrations/:id/webhook-secrets', ({ params }) => HttpResponse.json({ items: secretsOf(params['id']) })),
    http.post('*/api/integrations/:id/webhook-secrets', async ({ params, request }) => {
      const { secret } = (await request.json()) as { secret?: string }
      const added: WebhookSecret = {
        id: `secret-${world.now()}`,
        last4: (secret ?? 'made-for-you').slice(-4),
        state: 'active',
        source: secret ? 'manual' : 'generated',
        createdAt: new Date(world.now()).toISOString(),
        expiresAt: null,
        retiredAt: null,
      }
      world.secrets.set(String(params['id']), [added, ...secretsOf(params['id'])])
      return HttpResponse.json({ secret: added, value: secret ? null : 'whsec_example_made_for_you' }, { status: 201 })
    }),
    http.post('*/api/integrations/:id/webhook-secrets/:secretId/retire', async ({ params, request }) => {
      const { graceSeconds } = (await request.json()) as { graceSeconds: number }
      const changed = secretsOf(params['id']).map((secret) =>
        secret.id === params['secretId']
          ? { ...secret, state: graceSeconds > 0 ? ('retiring' as const) : ('retired' as const), expiresAt: new Date(world.now() + graceSeconds * 1000).toISOString() }
          : secret,
      )
      world.secrets.set(String(params['id']), changed)
      return HttpResponse.json(changed.find((secret) => secret.id === params['secretId']))
    }),
  ]
}
