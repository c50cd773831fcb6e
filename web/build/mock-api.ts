import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { ReadableStream as NodeStream } from 'node:stream/web'
import { getResponse, type RequestHandler } from 'msw'
import { fileURLToPath } from 'node:url'
import { runnerImport, type Connect, type Plugin } from 'vite'

/** What the server will send; the mock sends it too, so that a page that breaks it is seen early. */
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

/** Serves the tests' MSW handlers over real HTTP (`--mode mock`), so that the UI runs without a backend. */
export function mockApi(): Plugin {
  return {
    name: 'mock-api',
    configureServer: (server) => void server.middlewares.use(middleware()),
    configurePreviewServer(server) {
      server.middlewares.use((_request, response, next) => {
        response.setHeader('content-security-policy', CSP)
        next()
      })
      server.middlewares.use(middleware())
    },
  }
}

function middleware(): Connect.NextHandleFunction {
  let handlers: Promise<RequestHandler[]> | undefined
  return (incoming, response, next) => {
    const path = incoming.url ?? '/'
    if (!path.startsWith('/api/') && !path.startsWith('/webhooks/')) return next()
    handlers ??= loadHandlers()
    void handlers.then((list) => answer(list, incoming, response)).catch(next)
  }
}

/** The handlers are TypeScript of `src/`, so Vite itself has to load them. */
async function loadHandlers(): Promise<RequestHandler[]> {
  const { module } = await runnerImport<{ liveHandlers: () => RequestHandler[] }>('./src/test/handlers.ts', {
    resolve: { alias: { '@': fileURLToPath(new URL('../src', import.meta.url)) } },
  })
  return module.liveHandlers()
}

async function answer(handlers: RequestHandler[], incoming: IncomingMessage, response: ServerResponse) {
  const method = incoming.method ?? 'GET'
  const headers = Object.entries(incoming.headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as [string, string]] : [],
  )
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const request = new Request(`http://${incoming.headers.host ?? 'localhost'}${incoming.url ?? '/'}`, {
    method,
    headers,
    ...(hasBody && { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' }),
  })
  const answered = await getResponse(handlers, request)
  response.statusCode = answered?.status ?? 404
  answered?.headers.forEach((value, name) => response.setHeader(name, value))
  if (!answered?.body) return void response.end()
  const body = Readable.fromWeb(answered.body as NodeStream)
  response.on('close', () => body.destroy())
  body.on('error', () => response.end())
  response.flushHeaders()
  body.pipe(response)
}
