import { expect, test } from 'vitest'
import { SseParser, type SseMessage } from './sse'

const STREAM = ':hb\n\nid: 7\nevent: event\ndata: {"a":1}\n\nid: 8\r\nevent: status\r\ndata: {\r\ndata: }\r\n\r\ndata: last\n\n'
const EXPECTED: SseMessage[] = [
  { event: 'event', data: '{"a":1}', id: '7' },
  { event: 'status', data: '{\n}', id: '8' },
  { event: 'message', data: 'last', id: '8' },
]

function parse(chunks: string[]): SseMessage[] {
  const messages: SseMessage[] = []
  const parser = new SseParser((message) => messages.push(message))
  for (const chunk of chunks) parser.push(chunk)
  return messages
}

test('reads messages whole', () => {
  expect(parse([STREAM])).toEqual(EXPECTED)
})

test('reads the same messages however the bytes are cut', () => {
  for (let cut = 1; cut < STREAM.length; cut += 1) {
    expect(parse([STREAM.slice(0, cut), STREAM.slice(cut)])).toEqual(EXPECTED)
  }
  expect(parse(STREAM.split(''))).toEqual(EXPECTED)
})
