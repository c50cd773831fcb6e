/** One message of a `text/event-stream`. */
export interface SseMessage {
  event: string
  data: string
  id: string | null
}

/**
 * Reads a stream with `fetch` rather than `EventSource`: only so can a new leader tab send `Last-Event-ID`,
 * and only so are heartbeats seen, without which a half-open connection looks alive for ever.
 */
export async function readSse(
  body: ReadableStream<Uint8Array>,
  onMessage: (message: SseMessage) => void,
  onBytes: () => void,
): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
  const parser = new SseParser(onMessage)
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    onBytes()
    parser.push(value)
  }
}

/** The line protocol of the WHATWG specification, fed with chunks cut anywhere. */
export class SseParser {
  #rest = ''
  #event = ''
  #data: string[] = []
  #id: string | null = null

  constructor(private readonly onMessage: (message: SseMessage) => void) {}

  push(chunk: string) {
    const text = this.#rest + chunk
    // A lone CR at the very end may be half of a CRLF, so it waits for the next chunk.
    const end = text.endsWith('\r') ? text.length - 1 : text.length
    const lines = text.slice(0, end).split(/\r\n|\n|\r/)
    this.#rest = (lines.pop() ?? '') + text.slice(end)
    for (const line of lines) this.#line(line)
  }

  #line(line: string) {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    if (colon === 0) return
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.#event = value
    else if (field === 'data') this.#data.push(value)
    else if (field === 'id' && !value.includes('\0')) this.#id = value
  }

  #dispatch() {
    if (this.#data.length > 0) {
      this.onMessage({ event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id })
    }
    this.#event = ''
    this.#data = []
  }
}
