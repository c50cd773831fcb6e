// Starts the real binary on throwaway data and talks to it: commands, API, deliveries.

import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const BINARY =
  process.env.LINEKEEPER_BIN ?? fileURLToPath(new URL('../../target/debug/linekeeper', import.meta.url))
/** Longest wait for the server to say that it is ready, milliseconds. */
const READY_MS = 20_000

export class Linekeeper {
  /** A server that is not started yet, with data of its own. */
  constructor() {
    this.dataDir = mkdtempSync(join(tmpdir(), 'linekeeper-node-'))
    this.base = null
    this.child = null
    this.key = null
  }

  /** Runs a command on the server's data and gives what it prints, trimmed. */
  command(...args) {
    return execFileSync(BINARY, args, { encoding: 'utf8', env: this.env(), stdio: ['ignore', 'pipe', 'inherit'] }).trim()
  }

  env() {
    return {
      PATH: process.env.PATH,
      HOME: this.dataDir,
      LINEKEEPER_ALLOW_PRIVATE_TARGETS: 'true',
      LINEKEEPER_LOG: 'warn',
      // What is tried here is everything but the limit of a key.
      LINEKEEPER_KEY_CALLS_PER_MINUTE: '0',
      // An identity provider that is down: its routes are there to be tried, and nobody is asked.
      LINEKEEPER_OIDC__ISSUER: 'http://127.0.0.1:9',
      LINEKEEPER_OIDC__CLIENT_ID: 'linekeeper',
      LINEKEEPER_OIDC__CLIENT_SECRET: 'not-a-real-secret',
    }
  }

  /** Starts serving on a free port, or on the one used before. */
  async start() {
    const listen = this.base ? new URL(this.base).host : '127.0.0.1:0'
    this.child = spawn(BINARY, ['serve', '--data-dir', this.dataDir, '--listen', listen], {
      env: this.env(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const child = this.child
    const errors = []
    child.stderr.on('data', (chunk) => errors.push(chunk))
    this.exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
    const ready = new Promise((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const found = /^ready (http:\/\/\S+)$/.exec(line)
        if (found) resolve(found[1])
      })
    })
    const timer = new Promise((resolve) => setTimeout(resolve, READY_MS, null).unref())
    const base = await Promise.race([ready, timer, this.exited.then(() => null)])
    if (!base) throw new Error(`the server did not get ready: ${Buffer.concat(errors)}`)
    this.base = base
    this.key ??= this.command('key', 'create', '--data-dir', this.dataDir, '--project', 'default', '--role', 'admin')
    return this
  }

  /** Ends the server with a signal and waits until it is gone. */
  async end(signal = 'SIGTERM') {
    this.child?.kill(signal)
    return this.exited
  }

  /** Ends the server and deletes its data. */
  async remove() {
    await this.end()
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  /** Calls the API and gives the status and the parsed answer. */
  async api(method, path, body) {
    const response = await fetch(new URL(path, this.base), {
      method,
      headers: { authorization: `Bearer ${this.key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      body: body ? JSON.stringify(body) : undefined,
    })
    const text = await response.text()
    return { status: response.status, body: text ? JSON.parse(text) : null }
  }

  /** Adds an integration that takes deliveries signed with `secret`; gives its id and webhook path. */
  async addIntegration(provider, name, secret, settings = {}) {
    const set = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`])
    const printed = this.command(
      'integration', 'add', '--data-dir', this.dataDir, '--project', 'default',
      '--provider', provider, '--name', name, ...set, '--json',
    )
    const { id, webhookUrl } = JSON.parse(printed)
    const added = await this.api('POST', `/api/integrations/${id}/webhook-secrets`, { secret })
    if (added.status !== 201) throw new Error(`adding the secret of ${name} answered ${JSON.stringify(added)}`)
    return { id, path: new URL(webhookUrl, this.base).pathname }
  }

  /** Every event of an integration, oldest first. */
  async events(integrationId) {
    const items = []
    let cursor = null
    do {
      const page = new URLSearchParams({ integration: integrationId, kind: 'webhook', limit: '200' })
      if (cursor) page.set('cursor', cursor)
      const { status, body } = await this.api('GET', `/api/events?${page}`)
      if (status !== 200) throw new Error(`listing events answered ${status} ${JSON.stringify(body)}`)
      items.push(...body.items)
      cursor = body.nextCursor
    } while (cursor)
    return items.reverse()
  }

  /** Posts a delivery; `headers` is a list of pairs, so that one may be there twice. */
  deliver(path, headers, body) {
    const { hostname, port } = new URL(this.base)
    const payload = Buffer.from(body)
    const lines = [
      `POST ${path} HTTP/1.1`,
      `host: ${hostname}:${port}`,
      `content-length: ${payload.length}`,
      'connection: close',
      ...headers.map(([name, value]) => `${name}: ${value}`),
    ]
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port) }, () => {
        socket.write(`${lines.join('\r\n')}\r\n\r\n`)
        socket.write(payload)
      })
      const chunks = []
      socket.on('data', (chunk) => chunks.push(chunk))
      socket.on('error', reject)
      socket.on('end', () => resolve(parseResponse(Buffer.concat(chunks).toString('utf8'))))
    })
  }
}

/** Status and body of an HTTP/1.1 answer that ended with the connection. */
function parseResponse(text) {
  const [head, ...rest] = text.split('\r\n\r\n')
  const status = Number(head.split(' ')[1])
  const chunked = /^transfer-encoding:\s*chunked/im.test(head)
  const body = rest.join('\r\n\r\n')
  return { status, body: chunked ? unchunk(body) : body }
}

function unchunk(text) {
  let rest = text
  let body = ''
  for (;;) {
    const end = rest.indexOf('\r\n')
    const size = Number.parseInt(rest.slice(0, end), 16)
    if (!(size > 0)) return body
    body += rest.slice(end + 2, end + 2 + size)
    rest = rest.slice(end + 2 + size + 2)
  }
}
