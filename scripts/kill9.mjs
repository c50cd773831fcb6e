#!/usr/bin/env node
// Shows that nothing acknowledged is lost: posts signed deliveries at full speed, kills the server
// with SIGKILL in the middle of it, restarts it, sends again what got no answer, and goes on. In
// the end every acknowledged delivery must be in the journal exactly once.
//
//   node scripts/kill9.mjs [ROUNDS=20] [CONNECTIONS=16]
//
// LINEKEEPER_BIN names the binary (default target/debug/linekeeper).

import { createHmac, randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { Linekeeper } from '../tests-node/lib/linekeeper.mjs'

const ROUNDS = Number(process.argv[2] ?? 20)
const CONNECTIONS = Number(process.argv[3] ?? 16)
/** The load runs this long before the kill, milliseconds: from, to. */
const LOAD_MS = [300, 1500]

const secret = `whsec_${randomBytes(16).toString('hex')}`
const server = new Linekeeper()
const acknowledged = new Set()
const unanswered = new Map()
let sent = 0

/** A delivery whose event type is unique, so that the list of events tells which ones arrived. */
function delivery() {
  sent += 1
  const type = `load.number_${sent}`
  const created = Math.floor(Date.now() / 1000)
  return { type, body: JSON.stringify({ id: `evt_${sent}`, object: 'event', created, type, data: { object: {} } }) }
}

function signature(body) {
  const t = Math.floor(Date.now() / 1000)
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`
}

/** Posts one delivery; true when it was acknowledged, false when there was no such answer. */
function post(agent, path, body) {
  const { hostname, port } = new URL(server.base)
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'stripe-signature': signature(body),
  }
  return new Promise((resolve) => {
    const call = request({ agent, hostname, port, path, method: 'POST', headers }, (response) => {
      response.on('error', () => resolve(false))
      response.on('end', () => resolve(response.statusCode === 200))
      response.resume()
    })
    call.on('error', () => resolve(false))
    call.end(body)
  })
}

/** Sends without pause until told to stop. */
async function load(path, state) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  while (!state.stop) {
    const { type, body } = delivery()
    unanswered.set(type, body)
    if (await post(agent, path, body)) {
      acknowledged.add(type)
      unanswered.delete(type)
    } else if (!state.stop) {
      await wait(5)
    }
  }
  agent.destroy()
}

/** Sends what got no answer again, as a provider would. */
async function resend(path) {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  for (const [type, body] of [...unanswered]) {
    if (await post(agent, path, body)) {
      acknowledged.add(type)
      unanswered.delete(type)
    }
  }
  agent.destroy()
}

async function main() {
  await server.start()
  const { id, path } = await server.addIntegration('stripe', 'Kill test', secret)
  for (let round = 1; round <= ROUNDS; round++) {
    const state = { stop: false }
    const loads = Array.from({ length: CONNECTIONS }, () => load(path, state))
    const [from, to] = LOAD_MS
    await wait(from + Math.random() * (to - from))
    await server.end('SIGKILL')
    state.stop = true
    await Promise.all(loads)
    const open = unanswered.size
    const started = performance.now()
    await server.start()
    const took = Math.round(performance.now() - started)
    await resend(path)
    console.log(`round ${round}: ${acknowledged.size} acknowledged, ${open} sent again, ready after ${took} ms`)
  }

  const counts = new Map()
  for (const event of await server.events(id)) counts.set(event.eventType, (counts.get(event.eventType) ?? 0) + 1)
  const lost = [...acknowledged].filter((type) => !counts.has(type))
  const twice = [...counts].filter(([, count]) => count > 1).map(([type]) => type)
  console.log(
    `${ROUNDS} kills: ${acknowledged.size} acknowledged, ${counts.size} in the journal, ` +
      `${lost.length} lost, ${twice.length} there twice`,
  )
  if (lost.length > 0) console.log(`lost: ${lost.slice(0, 10).join(', ')}`)
  if (twice.length > 0) console.log(`twice: ${twice.slice(0, 10).join(', ')}`)
  return lost.length === 0 && twice.length === 0 && acknowledged.size > 0
}

let passed = false
try {
  passed = await main()
} finally {
  await server.remove()
}
process.exitCode = passed ? 0 : 1
