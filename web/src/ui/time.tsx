import { createContext, use, useCallback, useSyncExternalStore } from 'react'
import { cx } from './cx'
import { formatAgo, formatClock, formatExact, formatSpan } from './format'

/** Where "now" comes from; tests inject one that stands still. */
export interface Clock {
  now(): number
  subscribe(onTick: () => void): () => void
}

const TICK_MS = 1000

function systemClock(): Clock {
  const listeners = new Set<() => void>()
  let timer: ReturnType<typeof setInterval> | undefined
  return {
    now: () => Date.now(),
    subscribe(onTick) {
      listeners.add(onTick)
      timer ??= setInterval(() => {
        for (const listener of listeners) listener()
      }, TICK_MS)
      return () => {
        listeners.delete(onTick)
        if (listeners.size > 0) return
        clearInterval(timer)
        timer = undefined
      }
    },
  }
}

export const ClockContext = createContext<Clock>(systemClock())

/** A text made from the time; the component renders again only when the text changes. */
export function useTimeText(text: (now: number) => string): string {
  const clock = use(ClockContext)
  const subscribe = useCallback((onTick: () => void) => clock.subscribe(onTick), [clock])
  return useSyncExternalStore(subscribe, () => text(clock.now()))
}

/** The time now, for what happens once, such as a click. */
export function useNow(): () => number {
  const clock = use(ClockContext)
  return useCallback(() => clock.now(), [clock])
}

const DAY_MS = 86_400_000
/** Whole days until a moment; negative once it has passed. */
export function useDays(at: string): number {
  return Number(useTimeText((now) => String(Math.floor((Date.parse(at) - now) / DAY_MS))))
}

interface TimeProps {
  at: string
  className?: string
}

/** "4 min ago", with the exact time as its title. */
export function Ago({ at, className }: TimeProps) {
  const text = useTimeText((now) => formatAgo(at, now))
  return (
    <time dateTime={at} title={formatExact(at)} className={cx('whitespace-nowrap', className)}>
      {text}
    </time>
  )
}

/** How long something has lasted: "14 min". */
export function Since({ at, className }: TimeProps) {
  const text = useTimeText((now) => formatSpan(now - Date.parse(at)))
  return (
    <time dateTime={at} title={`since ${formatExact(at)}`} className={cx('whitespace-nowrap', className)}>
      {text}
    </time>
  )
}

/** "09:41:07", as logs show it. */
export function ClockTime({ at, className }: TimeProps) {
  return (
    <time dateTime={at} title={formatExact(at)} className={cx('whitespace-nowrap', className)}>
      {formatClock(at)}
    </time>
  )
}
