import { describe, expect, it, test } from 'vitest'
import { formatAgo, formatBytes, formatPercent, formatSpan, plural } from './format'

test.each([
  [0, '0 %'],
  [0.01, '0.1 %'],
  [98.25, '98.3 %'],
  [99.97, '99.9 %'],
  [100, '100 %'],
])('formatPercent(%d) is %s', (percent, text) => {
  expect(formatPercent(percent)).toBe(text)
})

test.each([
  [0, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [3_600_000, '1 h'],
  [47 * 3_600_000, '47 h'],
  [49 * 3_600_000, '2 d'],
])('formatSpan(%d) is %s', (ms, text) => {
  expect(formatSpan(ms)).toBe(text)
})

describe('formatAgo', () => {
  const now = Date.parse('2026-11-21T09:41:00.000Z')
  it('says "just now" for the last seconds and for clocks that run a little ahead', () => {
    expect(formatAgo('2026-11-21T09:40:57.000Z', now)).toBe('just now')
    expect(formatAgo('2026-11-21T09:41:20.000Z', now)).toBe('just now')
  })
  it('rounds what is to come to the nearest unit', () => {
    expect(formatAgo('2026-11-28T09:40:30.000Z', now)).toBe('in 7 d')
    expect(formatAgo('2026-11-21T10:40:50.000Z', now)).toBe('in 1 h')
    expect(formatAgo('2026-11-21T09:43:10.000Z', now)).toBe('in 2 min')
  })
  it('names the date beyond two weeks', () => {
    expect(formatAgo('2026-10-31T12:00:00.000Z', now)).toBe('Oct 31')
  })
})

test('counts with their noun', () => {
  expect(plural(1, 'event')).toBe('1 event')
  expect(plural(1234, 'delivery', 'deliveries')).toBe('1,234 deliveries')
  expect(formatBytes(2048)).toBe('2.0 KiB')
})
