// Servers of the published Model Context Protocol libraries, one of each era, are checked
// successfully, and a tool that fails inside a good answer is a failure.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Linekeeper } from './lib/linekeeper.mjs'

/** Longest wait for a server to listen, milliseconds. */
const LISTENS_MS = 30_000

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/** A port that is free now. */
const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

const listens = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

const children = []

/** Starts a server on a free port and waits until it listens. */
async function start(command, args, env = {}) {
  const port = await freePort()
  const child = spawn(command, args(port), { env: { ...process.env, ...env, PORT: String(port) }, stdio: 'ignore' })
  children.push(child)
  for (const until = Date.now() + LISTENS_MS; Date.now() < until; await wait(100)) {
    if (await listens(port)) return `http://127.0.0.1:${port}/mcp`
  }
  throw new Error(`${command} does not listen`)
}

const linekeeper = new Linekeeper()

/** Adds an integration that calls a tool, and checks it. */
function checked(name, url, tool, given) {
  const data = ['--data-dir', linekeeper.dataDir]
  const set = [`url=${url}`, `tool=${tool}`, `arguments=${JSON.stringify(given)}`].flatMap((pair) => ['--set', pair])
  linekeeper.command('integration', 'add', ...data, '--provider', 'mcp', '--name', name, ...set, '--json')
  try {
    return JSON.parse(linekeeper.command('check', name, ...data, '--json'))
  } catch (error) {
    // A check that fails ends with status 1 and prints what it found all the same.
    return JSON.parse(error.stdout)
  }
}

describe('servers of the Model Context Protocol', () => {
  let everything
  let ledger
  before(async () => {
    everything = await start('node', () => [here('node_modules/@modelcontextprotocol/server-everything/dist/index.js'), 'streamableHttp'])
    ledger = await start(here('../tests-py/.venv/bin/python'), (port) => [here('../tests-py/mcp_server.py'), String(port)])
  })
  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    await linekeeper.remove()
  })

  it('the reference server for Node passes', () => {
    const told = checked('Everything', everything, 'echo', { message: 'hi' })
    assert.equal(told.ok, true, JSON.stringify(told))
  })

  it('a server of the Python library passes', () => {
    const told = checked('Ledger', ledger, 'balance', { account: 'rent' })
    assert.equal(told.ok, true, JSON.stringify(told))
  })

  it('a tool that fails inside a good answer is a failure', () => {
    const told = checked('No account', ledger, 'balance', { account: 'nobody' })
    assert.equal(told.ok, false)
    assert.equal(told.rung, 'capability')
  })
})
