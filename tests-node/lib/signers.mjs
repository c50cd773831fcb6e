// Signs deliveries with the libraries the providers publish. Each signer takes the secret, the
// exact body and the moment (epoch seconds) and gives the headers that the provider would send.

import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { sign as signGitHub } from '@octokit/webhooks-methods'
import { Webhook } from 'standardwebhooks'
import Stripe from 'stripe'

const PYTHON = fileURLToPath(new URL('../../tests-py/.venv/bin/python', import.meta.url))
const PYTHON_SIGNER = fileURLToPath(new URL('../../tests-py/sign.py', import.meta.url))

/** The time now in whole seconds. */
export const nowS = () => Math.floor(Date.now() / 1000)

/** Signers by the name of what they stand for. */
export const signers = {
  async stripe(secret, body, ts = nowS()) {
    const header = await Stripe.webhooks.generateTestHeaderStringAsync({ payload: body, secret, timestamp: ts })
    return { 'stripe-signature': header }
  },

  async github(secret, body) {
    return {
      'x-hub-signature-256': await signGitHub(secret, body),
      'x-github-delivery': randomUUID(),
      'x-github-event': 'check_run',
    }
  },

  async standardwebhooks(secret, body, ts = nowS()) {
    const id = `msg_${randomUUID()}`
    const signature = new Webhook(secret).sign(id, new Date(ts * 1000), body)
    return { 'webhook-id': id, 'webhook-timestamp': String(ts), 'webhook-signature': signature }
  },

  async slack(secret, body, ts = nowS()) {
    if (!existsSync(PYTHON)) throw new Error('tests-py/.venv is missing: run scripts/python-env.sh')
    const order = `${JSON.stringify({ secret, body, ts })}\n`
    const done = spawnSync(PYTHON, [PYTHON_SIGNER], { input: order, encoding: 'utf8' })
    if (done.status !== 0) throw new Error(`tests-py/sign.py failed: ${done.stderr}`)
    return JSON.parse(done.stdout).headers
  },
}
