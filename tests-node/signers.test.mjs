// Deliveries signed by the providers' own libraries are accepted, each once; every tampered variant
// is refused with a clear error, counted, and leaves no event.

import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Linekeeper } from './lib/linekeeper.mjs'
import { nowS, signers } from './lib/signers.mjs'

/** Seconds beyond the tolerance of 300. */
const TOO_FAR_S = 330
/** How often the refusals are asked for, every 100 ms, before they count as not counted. */
const COUNTED_TRIES = 100

const server = new Linekeeper()

const hexSecret = () => randomBytes(16).toString('hex')
const base64Secret = () => `whsec_${randomBytes(24).toString('base64')}`

/** What each sender is: its provider, library, signature header and a body. */
const SENDERS = [
  {
    provider: 'stripe',
    lib: 'stripe',
    secret: () => `whsec_${hexSecret()}`,
    signatureHeader: 'stripe-signature',
    timed: true,
    body: () => ({
      id: `evt_${randomBytes(12).toString('hex')}`,
      object: 'event',
      created: nowS(),
      type: 'issuing_authorization.created',
      livemode: false,
      data: {
        object: {
          object: 'issuing.authorization',
          approved: false,
          amount: 0,
          request_history: [{ approved: false, amount: 4200, reason: 'spending_controls' }],
        },
      },
    }),
  },
  {
    provider: 'github',
    lib: 'github',
    secret: hexSecret,
    signatureHeader: 'x-hub-signature-256',
    timed: false,
    body: () => ({
      action: 'completed',
      check_run: { id: 1, status: 'completed', conclusion: 'failure', name: 'build' },
      repository: { id: 2, full_name: 'example/site' },
    }),
  },
  {
    provider: 'standard_webhooks',
    lib: 'standardwebhooks',
    secret: base64Secret,
    signatureHeader: 'webhook-signature',
    timed: true,
    body: () => ({ type: 'invoice.paid', timestamp: new Date().toISOString(), data: { id: randomUUID() } }),
  },
  {
    provider: 'slack',
    lib: 'slack',
    secret: hexSecret,
    signatureHeader: 'x-slack-signature',
    timed: true,
    body: () => ({
      type: 'event_callback',
      team_id: 'T0001',
      api_app_id: 'A0001',
      event_id: `Ev${randomBytes(5).toString('hex').toUpperCase()}`,
      event_time: nowS(),
      event: { type: 'app_mention', channel: 'C0001', text: 'hello' },
    }),
  },
]

/** `body` with one bit of one byte inside it changed. */
function flipped(body) {
  const bytes = Buffer.from(body)
  bytes[Math.floor(bytes.length / 2)] ^= 1
  return bytes
}

/** The counted refusals of an integration; they are written a moment after they happened. */
async function rejections(id, expected) {
  for (let tries = 0; ; tries++) {
    const { status, body } = await server.api('GET', `/api/integrations/${id}/rejections`)
    assert.equal(status, 200)
    const counted = body.items.reduce((sum, item) => sum + item.count, 0)
    if (counted >= expected || tries === COUNTED_TRIES) return { ...body, counted }
    await wait(100)
  }
}

const pairs = (headers) => [['content-type', 'application/json'], ...Object.entries(headers)]
const without = (headers, name) => pairs(headers).filter(([key]) => key !== name)

describe('deliveries signed by the official libraries', () => {
  before(() => server.start())
  after(() => server.remove())

  for (const sender of SENDERS) {
    describe(sender.provider, () => {
      const secret = sender.secret()
      const sign = signers[sender.lib]
      let integration
      let valid = 0
      let refusals = 0

      before(async () => {
        integration = await server.addIntegration(sender.provider, `${sender.provider} signed`, secret)
      })

      const accepted = async (headers, body) => {
        const answer = await server.deliver(integration.path, headers, body)
        assert.equal(answer.status, 200, answer.body)
      }
      const refused = async (headers, body) => {
        const answer = await server.deliver(integration.path, headers, body)
        assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${answer.body}`)
        refusals += 1
        const { error } = JSON.parse(answer.body)
        assert.ok(error.code && error.message, answer.body)
        assert.ok(!answer.body.includes(secret))
      }

      it('accepts what the library signed, and the same delivery only once', async () => {
        for (let i = 0; i < 3; i++) {
          const body = JSON.stringify(sender.body())
          const headers = pairs(await sign(secret, body))
          await accepted(headers, body)
          valid += 1
          await accepted(headers, body)
        }
      })

      it('accepts a body with other spacing: the exact bytes count', async () => {
        const body = `${JSON.stringify(sender.body(), null, 3)}\n`
        await accepted(pairs(await sign(secret, body)), body)
        valid += 1
      })

      it('refuses a flipped bit in the body', async () => {
        const body = JSON.stringify(sender.body())
        await refused(pairs(await sign(secret, body)), flipped(body))
      })

      it('refuses a body with something added, and a truncated one', async () => {
        const body = JSON.stringify(sender.body())
        const headers = pairs(await sign(secret, body))
        await refused(headers, `${body} `)
        await refused(headers, body.slice(0, -1))
      })

      it('refuses a signature made with another secret', async () => {
        const body = JSON.stringify(sender.body())
        await refused(pairs(await sign(sender.secret(), body)), body)
      })

      it('refuses a missing signature', async () => {
        const body = JSON.stringify(sender.body())
        const headers = await sign(secret, body)
        await refused(without(headers, sender.signatureHeader), body)
        await refused([['content-type', 'application/json']], body)
      })

      it('refuses an empty and a malformed signature', async () => {
        const body = JSON.stringify(sender.body())
        const headers = await sign(secret, body)
        for (const value of ['', 'v1=', 't=,v1=', 'sha256=', '%%%', 'v1,']) {
          await refused(pairs({ ...headers, [sender.signatureHeader]: value }), body)
        }
      })

      it('refuses a signature header that is there twice', async () => {
        const body = JSON.stringify(sender.body())
        const headers = await sign(secret, body)
        const again = [sender.signatureHeader, headers[sender.signatureHeader]]
        await refused([...pairs(headers), again], body)
      })

      it('refuses times too far back and too far ahead', async () => {
        if (!sender.timed) return
        for (const ts of [nowS() - TOO_FAR_S, nowS() + TOO_FAR_S]) {
          const body = JSON.stringify(sender.body())
          await refused(pairs(await sign(secret, body, ts)), body)
        }
      })

      it('has exactly the valid deliveries as events, and counts the others', async () => {
        const events = await server.events(integration.id)
        assert.equal(events.length, valid)
        const body = await rejections(integration.id, refusals)
        assert.equal(body.counted, refusals, JSON.stringify(body))
        assert.ok(!JSON.stringify(body).includes(secret))
        for (const item of body.items) assert.ok(item.explanation && item.hint, JSON.stringify(item))
      })
    })
  }

  it('answers an unknown key as it answers a wrong one', async () => {
    const unknownKey = await server.deliver('/webhooks/stripe/nobody-knows-this-key', [], '{}')
    const unknownProvider = await server.deliver('/webhooks/nobody/nobody-knows-this-key', [], '{}')
    assert.equal(unknownKey.status, 404)
    assert.equal(unknownProvider.status, 404)
    assert.equal(unknownKey.body, unknownProvider.body)
  })
})
