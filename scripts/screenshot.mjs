#!/usr/bin/env node
// Takes the pictures of docs/images from the running demo, in a real browser.
//
//   node scripts/screenshot.mjs [PAGE=/ ...]
//
// LINEKEEPER_BIN names the binary (default target/debug/linekeeper), CHROMIUM_PATH the browser.

import { spawn, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const { chromium } = createRequire(join(ROOT, 'web/package.json'))('@playwright/test')
const BINARY = process.env.LINEKEEPER_BIN ?? join(ROOT, 'target/debug/linekeeper')
const BROWSER = process.env.CHROMIUM_PATH ?? execFileSync(join(ROOT, 'scripts/chromium.sh'), { encoding: 'utf8' }).trim()
const FOLDER = join(ROOT, 'docs/images')
/** The demo's opening is over after this long, milliseconds. */
const OPENING_MS = 24_000

/** The first address that a stream of text names. */
function address(stream, pattern) {
  return new Promise((resolve) => {
    createInterface({ input: stream }).on('line', (line) => {
      const found = pattern.exec(line)
      if (found) resolve(found[1])
    })
  })
}

const data = mkdtempSync(join(tmpdir(), 'linekeeper-pictures-'))
const server = spawn(BINARY, ['demo', '--data-dir', join(data, 'data'), '--listen', '127.0.0.1:0'])
const browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] })
try {
  const [base, setup] = await Promise.all([
    address(server.stdout, /^ready (http:\S+)/),
    address(server.stderr, /(http:\S+\/setup\?token=\S+)/),
  ])
  mkdirSync(FOLDER, { recursive: true })
  const account = { email: 'owner@example.com', name: 'Ada Owner', password: randomBytes(12).toString('hex') }
  const token = new URL(setup).searchParams.get('token')
  const session = await fetch(`${base}/api/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: base },
    body: JSON.stringify({ token, ...account }),
  })
  if (!session.ok) throw new Error(`setting up answered ${session.status} ${await session.text()}`)
  const [name, value] = session.headers.getSetCookie()[0].split(';')[0].split('=')
  await wait(OPENING_MS)
  for (const scheme of ['light', 'dark']) {
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      colorScheme: scheme,
      reducedMotion: 'reduce',
    })
    await context.addCookies([{ name, value, url: base }])
    const page = await context.newPage()
    for (const path of process.argv.length > 2 ? process.argv.slice(2) : ['/']) {
      await page.goto(`${base}${path}`)
      await page.getByRole('main').waitFor()
      await wait(2_000)
      const file = join(FOLDER, `${path === '/' ? 'overview' : path.slice(1).replaceAll('/', '-')}-${scheme}.png`)
      await page.screenshot({ path: file })
      console.log(file)
    }
    await context.close()
  }
} finally {
  await browser.close()
  server.kill('SIGTERM')
  await new Promise((resolve) => server.once('exit', resolve))
  rmSync(data, { recursive: true, force: true })
}
