import { readSse, type SseMessage } from './sse'
import { url } from './client'

/** What a person may know about the connection: `live`, trying again, or refetching at intervals meanwhile. */
export type StreamState = 'connecting' | 'live' | 'polling' | 'offline' | 'signed-out'

export interface StreamListener {
  /** Messages since the last call, at most one call per `FLUSH_MS`. */
  onMessages(messages: SseMessage[]): void
  /** Everything on screen may be stale: fetch it again. */
  onStale(): void
  onState(state: StreamState): void
  /** The server let us in no longer, or as somebody with another role: ask who we are here. */
  onRights(): void
}

type Broadcast =
  | { kind: 'messages'; messages: SseMessage[] }
  | { kind: 'stale' }
  | { kind: 'rights' }
  | { kind: 'state'; state: StreamState; lastId: string | null }
  | { kind: 'hello' }

/** Waits between attempts, in seconds; the last one repeats. */
export const BACKOFF_S = [1, 2, 5, 10, 30, 60]
/** The server's heartbeat comes every 15 s; after two missed ones the connection counts as dead. */
const SILENCE_MS = 40_000
/** A storm of events becomes one cache update per this interval. */
const FLUSH_MS = 200
/** Attempts that may fail before the indicator says that we poll. */
const QUIET_FAILURES = 2

/**
 * One event stream per browser. The tab that holds a Web Lock is the leader: it reads the stream and broadcasts
 * every message; the others listen. When the leader's tab closes the lock passes on, and the new leader resumes
 * at the last id that was broadcast.
 */
export class LiveStream {
  #channel: BroadcastChannel | null
  #closed = new AbortController()
  #state: StreamState = 'connecting'
  #lastId: string | null = null
  #queue: SseMessage[] = []
  #flushTimer: ReturnType<typeof setTimeout> | undefined
  #leading = false
  #wasLive = false
  #wake: (() => void) | null = null

  constructor(
    private readonly listener: StreamListener,
    private readonly projectId: string | null,
  ) {
    const name = `linekeeper-stream:${projectId ?? ''}`
    this.#channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(name) : null
    this.#channel?.addEventListener('message', (event: MessageEvent<Broadcast>) => this.#heard(event.data))
    this.#channel?.postMessage({ kind: 'hello' } satisfies Broadcast)
    globalThis.addEventListener('online', this.#wakeUp)
    document.addEventListener('visibilitychange', this.#wakeUp)
    const lead = () => this.#lead()
    // Web Locks exist in secure contexts only; over plain http each tab reads its own stream.
    if ('locks' in navigator && this.#channel) {
      navigator.locks.request(name, { signal: this.#closed.signal }, lead).catch(() => undefined)
    } else {
      void lead()
    }
  }

  close() {
    this.#closed.abort()
    this.#wake?.()
    clearTimeout(this.#flushTimer)
    this.#channel?.close()
    this.#channel = null
    globalThis.removeEventListener('online', this.#wakeUp)
    document.removeEventListener('visibilitychange', this.#wakeUp)
  }

  readonly #wakeUp = () => {
    if (document.visibilityState === 'visible') this.#wake?.()
  }

  /** Reads the stream until the tab closes it, waiting longer after each failure and polling meanwhile. */
  async #lead() {
    this.#leading = true
    let failures = 0
    while (!this.#closed.signal.aborted) {
      const opened = await this.#connect(() => (failures = 0)).catch(() => false)
      if (this.#closed.signal.aborted || opened === 'signed-out') break
      const wait = BACKOFF_S[Math.min(failures, BACKOFF_S.length - 1)] ?? 60
      failures += 1
      if (!navigator.onLine) this.#announce('offline')
      else this.#announce(failures > QUIET_FAILURES ? 'polling' : 'connecting')
      await this.#sleep(wait * 1000)
      if (failures > QUIET_FAILURES && !this.#closed.signal.aborted) this.#stale()
    }
  }

  async #connect(onOpen: () => void): Promise<boolean | 'signed-out'> {
    const attempt = new AbortController()
    const abort = () => attempt.abort()
    this.#closed.signal.addEventListener('abort', abort, { once: true })
    let watchdog = setTimeout(abort, SILENCE_MS)
    try {
      const response = await fetch(url('/api/integrations/events', { projectId: this.projectId }), {
        headers: { accept: 'text/event-stream', ...(this.#lastId !== null && { 'last-event-id': this.#lastId }) },
        credentials: 'same-origin',
        cache: 'no-store',
        signal: attempt.signal,
      })
      if (response.status === 401) {
        this.#announce('signed-out')
        return 'signed-out'
      }
      if (response.status === 403 || response.status === 404) this.#rights()
      if (!response.ok || !response.body) return false
      onOpen()
      // The server ends the stream of somebody whose role changed, and lets them in again with the new one.
      if (this.#wasLive) this.#rights()
      this.#wasLive = true
      this.#announce('live')
      // Without an id to resume at, whatever happened between the first fetch and now was missed.
      if (this.#lastId === null) this.#stale()
      await readSse(
        response.body,
        (message) => this.#received(message),
        () => {
          clearTimeout(watchdog)
          watchdog = setTimeout(abort, SILENCE_MS)
        },
      )
      return true
    } finally {
      clearTimeout(watchdog)
      this.#closed.signal.removeEventListener('abort', abort)
    }
  }

  #received(message: SseMessage) {
    if (message.id) this.#lastId = message.id
    if (message.event === 'reset') return this.#stale()
    this.#queue.push(message)
    this.#flushTimer ??= setTimeout(() => {
      this.#flushTimer = undefined
      const messages = this.#queue
      this.#queue = []
      this.#post({ kind: 'messages', messages })
      this.listener.onMessages(messages)
    }, FLUSH_MS)
  }

  #stale() {
    this.#post({ kind: 'stale' })
    this.listener.onStale()
  }

  #rights() {
    this.#post({ kind: 'rights' })
    this.listener.onRights()
  }

  #announce(state: StreamState) {
    this.#post({ kind: 'state', state, lastId: this.#lastId })
    if (state === this.#state) return
    this.#state = state
    this.listener.onState(state)
  }

  #heard(said: Broadcast) {
    if (said.kind === 'hello') {
      if (this.#leading) this.#post({ kind: 'state', state: this.#state, lastId: this.#lastId })
    } else if (said.kind === 'stale') {
      this.listener.onStale()
    } else if (said.kind === 'rights') {
      this.listener.onRights()
    } else if (said.kind === 'state') {
      this.#lastId = said.lastId ?? this.#lastId
      this.#state = said.state
      this.listener.onState(said.state)
    } else {
      this.#lastId = said.messages.findLast((message) => message.id)?.id ?? this.#lastId
      this.listener.onMessages(said.messages)
    }
  }

  #post(message: Broadcast) {
    this.#channel?.postMessage(message)
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#wake = null
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.#wake = done
    })
  }
}
