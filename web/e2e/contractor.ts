import { createHmac, randomUUID } from 'node:crypto'
import { expect, type APIRequestContext } from '@playwright/test'

/** An integration whose deliveries the tests sign themselves. */
export interface Sender {
  id: string
  name: string
  webhookUrl: string
  secret: string
}

/** Made anew on each run: nothing that looks like a secret lies in the repository. */
export const newSecret = () => `whsec_${randomUUID().replaceAll('-', '')}`

export async function createSender(request: APIRequestContext, name: string): Promise<Sender> {
  const session = (await (await request.get('/api/session')).json()) as { csrfToken: string }
  const secret = newSecret()
  const response = await request.post('/api/integrations', {
    headers: { 'x-csrf-token': session.csrfToken },
    data: { provider: 'stripe', name, settings: {}, webhookSecret: secret },
  })
  expect(response.status(), await response.text()).toBe(201)
  const created = (await response.json()) as { integration: { id: string }; webhookUrl: string }
  return { id: created.integration.id, name, webhookUrl: created.webhookUrl, secret }
}

function event(type: string, object: Record<string, unknown>) {
  return { id: `evt_${randomUUID()}`, object: 'event', type, created: Math.floor(Date.now() / 1000), data: { object } }
}

/** A card declined by its spending control. */
export const decline = () =>
  event('issuing_authorization.created', {
    id: `iauth_${randomUUID()}`,
    object: 'issuing.authorization',
    approved: false,
    amount: 21_840,
    currency: 'usd',
    merchant_data: { name: 'LUMBER YARD', category: 'lumber_building_materials_stores', city: 'Oakland' },
    request_history: [{ approved: false, amount: 21_840, reason: 'spending_controls' }],
  })

export const approval = () =>
  event('issuing_authorization.created', {
    id: `iauth_${randomUUID()}`,
    object: 'issuing.authorization',
    approved: true,
    amount: 1250,
    currency: 'usd',
    request_history: [{ approved: true, amount: 1250, reason: 'webhook_approved' }],
  })

/** Delivers a payload as the provider would, signed with the given secret; answers the status. */
export async function deliver(request: APIRequestContext, url: string, secret: string, payload: object): Promise<number> {
  const body = JSON.stringify(payload)
  const time = Math.floor(Date.now() / 1000)
  const signature = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')
  const response = await request.post(new URL(url).pathname, {
    headers: { 'content-type': 'application/json', 'stripe-signature': `t=${time},v1=${signature}` },
    data: Buffer.from(body),
  })
  return response.status()
}
