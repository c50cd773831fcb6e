import { lazy, Suspense, useState, type KeyboardEvent } from 'react'
import { Button } from './button'
import { cx } from './cx'
import { formatExact } from './format'
import { useAppliedTheme } from './preferences'

const TimeChartCanvas = lazy(() => import('./time-chart-canvas').then((module) => ({ default: module.TimeChartCanvas })))

export type ChartTone = 'accent' | 'quiet' | 'warn' | 'bad'
/** From and to, in milliseconds. */
export type ChartRange = readonly [number, number]

export interface ChartSeries {
  label: string
  /** One for each time; null where there is none. */
  values: (number | null)[]
  tone: ChartTone
  look?: 'line' | 'dashed' | 'marks'
}

interface TimeChartProps {
  label: string
  /** What the chart shows, in a sentence: for everybody, and the whole of it for those who cannot see it. */
  summary: string
  /** Milliseconds, ascending. Like `series`, the same array as long as nothing has changed: another one is drawn anew. */
  times: number[]
  series: ChartSeries[]
  format: (value: number) => string
  zoom?: ChartRange | null
  onZoom?: (range: ChartRange | null) => void
}

const SWATCH: Record<ChartTone, string> = { accent: 'bg-accent', quiet: 'bg-n8', warn: 'bg-warn', bad: 'bg-bad' }

/** Values over time. The mouse or the arrow keys show the value at a moment; dragging zooms. */
export function TimeChart({ label, summary, times, series, format, zoom = null, onZoom }: TimeChartProps) {
  const [at, setAt] = useState<number | null>(null)
  // The canvas holds colours, not names of colours: another theme is another canvas.
  const theme = useAppliedTheme()
  const last = times.length - 1
  const shown = at !== null && at <= last ? at : null
  // At rest the readout shows the newest value, which a forecast goes beyond.
  const rest = Math.max(0, series[0]?.values.findLastIndex((value) => value !== null) ?? last)
  const index = shown ?? rest
  const time = times[index]
  const move = (event: KeyboardEvent) => {
    const next = stepOf(event.key, index, last)
    if (next === null) return
    event.preventDefault()
    setAt(next)
  }
  const valueAt = (item: ChartSeries) => {
    const value = item.values[index]
    return value === null || value === undefined ? '–' : format(value)
  }
  const words = time === undefined ? '' : `${formatExact(new Date(time).toISOString())}: ${series.map((item) => `${item.label} ${valueAt(item)}`).join(', ')}`
  return (
    <figure className="flex min-w-0 flex-col gap-1">
      <div aria-hidden="true" className="flex min-h-5 flex-wrap items-center gap-x-4 gap-y-0.5 text-12">
        {series.map((item) => (
          <span key={item.label} className="inline-flex items-center gap-1.5">
            <span className={cx('inline-block rounded-full', item.look === 'marks' ? 'size-2' : 'h-0.5 w-3', SWATCH[item.tone])} />
            <span className="text-muted">{item.label}</span>
            <span className="font-medium">{valueAt(item)}</span>
          </span>
        ))}
        <span className="text-muted">{time !== undefined && `${shown === null ? 'latest, ' : ''}${formatExact(new Date(time).toISOString())}`}</span>
      </div>
      <div
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, last)}
        aria-valuenow={index}
        aria-valuetext={words}
        onKeyDown={move}
        onBlur={() => setAt(null)}
        className="rounded-md focus-inset"
      >
        <Suspense fallback={<div className="h-[168px]" />}>
          <TimeChartCanvas key={theme} times={times} series={series} format={format} zoom={zoom} onZoom={onZoom} at={shown} onAt={setAt} />
        </Suspense>
      </div>
      <figcaption className="flex flex-wrap items-center gap-x-3 gap-y-1 text-12 text-muted">
        <span className="min-w-0 flex-1 basis-48 text-pretty">{summary}</span>
        {zoom && onZoom && (
          <Button size="sm" onPress={() => onZoom(null)}>
            Show all
          </Button>
        )}
      </figcaption>
    </figure>
  )
}

/** Where a key leads from an index; null when it is none of ours. */
function stepOf(key: string, from: number, last: number): number | null {
  if (key === 'ArrowLeft' || key === 'ArrowDown') return Math.max(0, from - 1)
  if (key === 'ArrowRight' || key === 'ArrowUp') return Math.min(last, from + 1)
  if (key === 'Home') return 0
  return key === 'End' ? last : null
}

/** Sets nothing between two moments that are further apart than `step`, so that a gap is drawn as a gap. */
export function withGaps<T>(points: T[], timeOf: (point: T) => number, step: number): { times: number[]; points: (T | null)[] } {
  const times: number[] = []
  const spaced: (T | null)[] = []
  for (const point of points) {
    const time = timeOf(point)
    const before = times.at(-1)
    if (before !== undefined && time - before > step) {
      times.push(before + 1)
      spaced.push(null)
    }
    times.push(time)
    spaced.push(point)
  }
  return { times, points: spaced }
}
