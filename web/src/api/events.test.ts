import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BACKOFF_S, LiveStream, type StreamState } from './events'
import type { SseMessage } from './sse'

/** A server whose connections the test opens, feeds and cuts. */
class FakeStreams {
  requests: Request[] = []
  up = true
  status = 200
  #open: ReadableStreamDefaultController<Uint8Array>[] = []

  readonly fetch = async (input: string, init: RequestInit) => {
    this.requests.push(new Request(`http://localhost${input}`, { headers: init.headers ?? {} }))
    if (!this.up) throw new TypeError('network')
    if (this.status !== 200) return new Response(null, { status: this.status })
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void this.#open.push(controller) })
    return new Response(body)
  }
  send(text: string) {
    this.#open.at(-1)?.enqueue(new TextEncoder().encode(text))
  }
  cut() {
    this.#open.at(-1)?.error(new TypeError('cut'))
  }
}

function listen() {
  const heard = { messages: [] as SseMessage[], states: [] as StreamState[], stale: 0, rights: 0 }
  const listener = {
    onMessages: (messages: SseMessage[]) => void heard.messages.push(...messages),
    onState: (state: StreamState) => void heard.states.push(state),
    onStale: () => void (heard.stale += 1),
    onRights: () => void (heard.rights += 1),
  }
  return { heard, listener }
}

describe('LiveStream', () => {
  let server: FakeStreams
  let stream: LiveStream

  beforeEach(() => {
    vi.useFakeTimers()
    // One tab: leadership is between tabs, which jsdom has not.
    vi.stubGlobal('BroadcastChannel', undefined)
    Reflect.deleteProperty(globalThis, 'BroadcastChannel')
    server = new FakeStreams()
    vi.stubGlobal('fetch', server.fetch)
  })
  afterEach(() => {
    stream.close()
    vi.unstubAllGlobals()
    vi.useRealTimers()
  })

  it('delivers messages in one batch and says that it is live', async () => {
    const { heard, listener } = listen()
    stream = new LiveStream(listener, 'project-1')
    await vi.advanceTimersByTimeAsync(0)
    server.send('id: 1\nevent: event\ndata: {}\n\nid: 2\nevent: status\ndata: {}\n\n')
    await vi.advanceTimersByTimeAsync(250)
    expect(heard.states).toEqual(['live'])
    expect(heard.messages.map((message) => message.event)).toEqual(['event', 'status'])
    expect(server.requests[0]?.url).toContain('projectId=project-1')
  })

  it('resumes after the last id it saw', async () => {
    const { listener } = listen()
    stream = new LiveStream(listener, null)
    await vi.advanceTimersByTimeAsync(0)
    server.send('id: 41\nevent: event\ndata: {}\n\n')
    await vi.advanceTimersByTimeAsync(250)
    server.cut()
    await vi.advanceTimersByTimeAsync(1500)
    expect(server.requests).toHaveLength(2)
    expect(server.requests[1]?.headers.get('last-event-id')).toBe('41')
  })

  it('asks for everything again on reset, and on a first connection that cannot resume', async () => {
    const { heard, listener } = listen()
    stream = new LiveStream(listener, null)
    await vi.advanceTimersByTimeAsync(0)
    expect(heard.stale).toBe(1)
    server.send('id: 9\nevent: reset\ndata: {}\n\n')
    await vi.advanceTimersByTimeAsync(0)
    expect(heard.stale).toBe(2)
  })

  it('polls with growing waits while the stream cannot be reached, then goes live again', async () => {
    server.up = false
    const { heard, listener } = listen()
    stream = new LiveStream(listener, null)
    await vi.advanceTimersByTimeAsync(0)
    for (const [attempt, wait] of BACKOFF_S.entries()) {
      expect(server.requests).toHaveLength(attempt + 1)
      await vi.advanceTimersByTimeAsync(wait * 1000 - 1)
      expect(server.requests).toHaveLength(attempt + 1)
      await vi.advanceTimersByTimeAsync(1)
    }
    expect(heard.states.at(-1)).toBe('polling')
    expect(heard.stale).toBe(BACKOFF_S.length - 2)
    server.up = true
    await vi.advanceTimersByTimeAsync(60_000)
    expect(heard.states.at(-1)).toBe('live')
  })

  it('asks who we are here after it was let in again, and when it is not let in any more', async () => {
    const { heard, listener } = listen()
    stream = new LiveStream(listener, 'project-1')
    await vi.advanceTimersByTimeAsync(0)
    expect(heard.rights).toBe(0)
    server.cut()
    await vi.advanceTimersByTimeAsync(1500)
    expect(heard.rights).toBe(1)
    server.status = 404
    server.cut()
    await vi.advanceTimersByTimeAsync(1500)
    expect(heard.rights).toBe(2)
  })

  it('gives up a connection on which not even heartbeats arrive', async () => {
    const { listener } = listen()
    stream = new LiveStream(listener, null)
    await vi.advanceTimersByTimeAsync(30_000)
    server.send(':hb\n\n')
    await vi.advanceTimersByTimeAsync(30_000)
    expect(server.requests).toHaveLength(1)
  })
})
