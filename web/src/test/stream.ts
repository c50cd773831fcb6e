import { http, HttpResponse, type RequestHandler } from 'msw'
import type { World } from './world'

const HEARTBEAT_MS = 15_000

/** The live stream: whatever the world emits, as server-sent events. */
export function streamHandler(world: World): RequestHandler {
  return http.get('*/api/integrations/events', () => {
    const encoder = new TextEncoder()
    let stop = () => undefined as unknown
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const send = (text: string) => {
          try {
            controller.enqueue(encoder.encode(text))
          } catch {
            stop()
          }
        }
        send(':hb\n\n')
        const heartbeat = setInterval(() => send(':hb\n\n'), HEARTBEAT_MS)
        const unsubscribe = world.subscribe((name, data, seq) => send(`id: ${seq}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`))
        stop = () => {
          clearInterval(heartbeat)
          unsubscribe()
        }
      },
      cancel: () => void stop(),
    })
    return new HttpResponse(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } })
  })
}
