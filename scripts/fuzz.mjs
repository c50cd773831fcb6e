#!/usr/bin/env node
// Property-based fuzzing of the API from its own OpenAPI document: whatever is sent, the server
// answers, and never with its own failure (5xx).
//
//   node scripts/fuzz.mjs [EXAMPLES=30]
//
// Needs tests-py/.venv (scripts/python-env.sh). LINEKEEPER_BIN names the binary.

import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Linekeeper } from '../tests-node/lib/linekeeper.mjs'
import { signers } from '../tests-node/lib/signers.mjs'

const EXAMPLES = process.argv[2] ?? '30'
const FUZZER = fileURLToPath(new URL('../tests-py/.venv/bin/schemathesis', import.meta.url))

const server = new Linekeeper()

/** Makes an integration with one explained failure, so that the fuzzer has something to hit. */
async function seed() {
  const secret = `whsec_${randomBytes(16).toString('hex')}`
  const integration = await server.addIntegration('stripe', 'Fuzzed', secret)
  const object = { object: 'payout', failure_code: 'account_closed', failure_message: 'The bank account is closed.' }
  const event = { id: 'evt_fuzz', object: 'event', created: Math.floor(Date.now() / 1000), type: 'payout.failed' }
  const body = JSON.stringify({ ...event, data: { object } })
  const headers = Object.entries(await signers.stripe(secret, body))
  const { status } = await server.deliver(integration.path, [['content-type', 'application/json'], ...headers], body)
  if (status !== 200) throw new Error(`the delivery answered ${status}`)
  for (let tries = 0; tries < 50; tries++) {
    const [found] = await server.events(integration.id)
    if (found?.problemId) {
      const ids = { integrations: integration.id, events: found.id, problems: found.problemId }
      return { ...ids, projects: await project(), webhook: integration.path }
    }
    await wait(100)
  }
  throw new Error('the delivery made no problem')
}

/** The id of the project that exists from the start. */
async function project() {
  const headers = { authorization: `Bearer ${server.key}` }
  const session = await (await fetch(new URL('/api/session', server.base), { headers })).json()
  return session.projects[0].id
}

/** The fuzzer's configuration: ids and a webhook address that exist. */
function config({ webhook, ...ids }) {
  const operations = (path, parameters) => {
    const pairs = Object.entries(parameters).map(([name, value]) => `"path.${name}" = "${value}"`)
    const pattern = `^/${path}`.replaceAll('{', '\\\\{').replaceAll('}', '\\\\}')
    return `[[operations]]\ninclude-path-regex = "${pattern}"\nparameters = { ${pairs.join(', ')} }\n`
  }
  const [, , provider, key] = webhook.split('/')
  const known = Object.entries(ids).map(([path, id]) => operations(`api/${path}/{id}`, { id }))
  return [...known, operations('webhooks/{provider}/{key}', { provider, key })].join('\n')
}

/** Runs the fuzzer on some of the operations; gives its exit status. */
function fuzz(file, ...which) {
  const args = [
    '--config-file', file, 'run', `${server.base}/api/openapi.json`, ...which,
    '-H', `Authorization: Bearer ${server.key}`,
    // The live stream never ends, so there is no answer to judge.
    '--exclude-path', '/api/integrations/events',
    '--checks', 'not_a_server_error', '--max-examples', EXAMPLES, '--phases', 'examples,coverage,fuzzing',
    '--generation-deterministic', '--request-timeout', '10', '--no-color', '--warnings', 'off',
  ]
  const done = spawnSync(FUZZER, args, { stdio: 'inherit', cwd: server.dataDir })
  if (done.error) throw done.error
  return done.status
}

let failed = true
try {
  // A key that reaches every route that keys reach.
  const make = ['key', 'create', '--data-dir', server.dataDir, '--project', 'default', '--role', 'owner', '--operator']
  server.key = server.command(...make)
  await server.start()
  const file = join(server.dataDir, 'schemathesis.toml')
  writeFileSync(file, config(await seed()))
  // Deletions last: they take away what the others need.
  const failures = [fuzz(file, '--exclude-method', 'DELETE'), fuzz(file, '--include-method', 'DELETE')]
  const { status } = await fetch(new URL('/readyz', server.base))
  if (status !== 200) throw new Error(`after the fuzzing /readyz answers ${status}`)
  failed = failures.some((found) => found !== 0)
} finally {
  await server.remove()
}
process.exitCode = failed ? 1 : 0
