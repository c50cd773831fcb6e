const LOCALE = 'en-US'
const integer = new Intl.NumberFormat(LOCALE)
const oneDecimal = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 1, maximumFractionDigits: 1 })
const exact = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'long' })
const shortDate = new Intl.DateTimeFormat(LOCALE, { month: 'short', day: 'numeric' })
const clockTime = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
const hourMinute = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export const formatCount = (count: number): string => integer.format(count)

/** A rate of 0 to 100; the nearest tenth, but never "100 %" while something failed. */
export function formatPercent(percent: number): string {
  if (percent === 100 || percent === 0) return `${percent} %`
  return `${oneDecimal.format(Math.min(99.9, Math.max(0.1, percent)))} %`
}

/** A rate of 0 to 1. */
export const formatRatio = (ratio: number): string => formatPercent(100 * ratio)

/** How long a call took: "41 ms", "1.2 s". */
export function formatTook(ms: number): string {
  return ms < SECOND ? `${Math.round(ms)} ms` : `${oneDecimal.format(ms / SECOND)} s`
}

export const formatExact = (iso: string): string => exact.format(new Date(iso))
export const formatClock = (iso: string): string => clockTime.format(new Date(iso))
export const formatDate = (iso: string): string => shortDate.format(new Date(iso))
export const formatHour = (iso: string): string => hourMinute.format(new Date(iso))

/** "just now", "14 s", "4 min", "2 h", "3 d": one unit, the largest that fits. */
export function formatSpan(ms: number): string {
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)} h`
  return `${Math.floor(ms / DAY)} d`
}

/** What is still to come, to the nearest unit: six days and 23 hours ahead are "7 d". */
export function formatAhead(ms: number): string {
  const unit = ms < MINUTE ? SECOND : ms < HOUR ? MINUTE : ms < 2 * DAY ? HOUR : DAY
  return formatSpan(Math.round(ms / unit) * unit)
}

const JUST_NOW_MS = 5 * SECOND
const RELATIVE_LIMIT_MS = 14 * DAY

/** A time as people say it; beyond two weeks its date. */
export function formatAgo(iso: string, now: number): string {
  const time = Date.parse(iso)
  const age = now - time
  if (age < -MINUTE) return `in ${formatAhead(-age)}`
  if (age < JUST_NOW_MS) return 'just now'
  return age > RELATIVE_LIMIT_MS ? shortDate.format(time) : `${formatSpan(age)} ago`
}

const KIB = 1024
export function formatBytes(bytes: number): string {
  if (bytes < KIB) return `${bytes} B`
  const kib = bytes / KIB
  return kib < KIB ? `${oneDecimal.format(kib)} KiB` : `${oneDecimal.format(kib / KIB)} MiB`
}

/** "1 event", "2 events"; pass the plural when it is not the singular and an s. */
export function plural(count: number, singular: string, many = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : many}`
}
