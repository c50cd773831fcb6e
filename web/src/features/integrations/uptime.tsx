import { useState, type KeyboardEvent } from 'react'
import type { Uptime, UptimeBar } from '@/api/types'
import { cx } from '@/ui/cx'
import { formatDate, formatHour, formatRatio, formatSpan } from '@/ui/format'
import { Panel } from '@/ui/layout'
import { HealthShape } from '@/ui/status'

const HOUR_MS = 3_600_000
const WINDOW_WORDS: Record<string, string> = { '24h': '24 hours', '7d': '7 days', '30d': '30 days', '90d': '90 days' }

/** How much of each window it was up, drawn bar by bar. What nobody knows is grey and counts for nothing. */
export function UptimePanel({ uptime }: { uptime: Uptime[] }) {
  return (
    <Panel id="uptime" title="Uptime" aside={<Legend />}>
      <div className="flex flex-col gap-4 p-4">
        {uptime.map((window) => (
          <Row key={window.window} uptime={window} />
        ))}
        <Table uptime={uptime} />
      </div>
    </Panel>
  )
}

function Legend() {
  return (
    <ul aria-label="What the bars mean" className="flex flex-wrap gap-x-3 text-12 text-muted">
      {(['healthy', 'degraded', 'down', 'unknown'] as const).map((health) => (
        <li key={health} className="inline-flex items-center gap-1.5">
          <HealthShape health={health} small />
          {health}
        </li>
      ))}
    </ul>
  )
}

const BAR = 10
const GAP = 2
const HEIGHT = 40
/** Under the bars: a mark for those with trouble, as wide as it is bad, so that colour is not the only sign. */
const MARKS = 5
/** A minute of trouble in a day would be thinner than a pixel. */
const SLIVER = 5

function Row({ uptime }: { uptime: Uptime }) {
  const { bars } = uptime
  const last = bars.length - 1
  const [at, setAt] = useState<number | null>(null)
  const words = WINDOW_WORDS[uptime.window] ?? uptime.window
  const shown = bars[at ?? last]
  const move = (event: KeyboardEvent) => {
    const next = nextBar(event.key, at ?? last, bars.length)
    if (next === null) return
    event.preventDefault()
    setAt(next)
  }
  return (
    <div className="flex flex-col gap-1">
      <div className="flex flex-wrap items-baseline gap-x-3 text-13">
        <h3 className="w-16 text-12 text-muted">{words}</h3>
        <span className="font-medium">{uptime.uptime === null ? 'not known yet' : `${formatUptime(uptime.uptime)} up`}</span>
        <span className="text-12 text-muted">{formatRatio(uptime.coverage)} of the time known</span>
        <span className="ml-auto min-h-5 text-12" aria-hidden="true">
          {at !== null && shown && barWords(shown)}
        </span>
      </div>
      <svg
        viewBox={`0 0 ${Math.max(1, bars.length) * BAR - GAP} ${HEIGHT + MARKS}`}
        preserveAspectRatio="none"
        role="slider"
        tabIndex={0}
        aria-label={`Uptime of the last ${words}`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, last)}
        aria-valuenow={Math.max(0, at ?? last)}
        aria-valuetext={shown ? barWords(shown) : 'nothing known'}
        className="block h-9 w-full rounded-sm"
        onKeyDown={move}
        onFocus={() => setAt((index) => index ?? last)}
        onBlur={() => setAt(null)}
        onMouseLeave={() => setAt(null)}
      >
        {bars.map((bar, index) => (
          <g key={bar.from} onMouseEnter={() => setAt(index)}>
            <Bar bar={bar} x={index * BAR} chosen={index === at} />
          </g>
        ))}
      </svg>
    </div>
  )
}

function nextBar(key: string, from: number, count: number): number | null {
  if (key === 'ArrowLeft') return Math.max(0, from - 1)
  if (key === 'ArrowRight') return Math.min(count - 1, from + 1)
  if (key === 'Home') return 0
  return key === 'End' ? count - 1 : null
}

function Bar({ bar, x, chosen }: { bar: UptimeBar; x: number; chosen: boolean }) {
  const span = Date.parse(bar.to) - Date.parse(bar.from)
  const share = (ms: number) => (ms <= 0 ? 0 : Math.max(SLIVER, (ms / span) * HEIGHT))
  const down = share(bar.downMs)
  const degraded = Math.min(HEIGHT - down, share(bar.degradedMs))
  const healthy = Math.min(HEIGHT - down - degraded, (bar.healthyMs / span) * HEIGHT)
  const width = BAR - GAP
  const tops = { down: HEIGHT - down, degraded: HEIGHT - down - degraded, healthy: HEIGHT - down - degraded - healthy }
  return (
    <>
      <rect x={x} y="0" width={BAR} height={HEIGHT + MARKS} fill="transparent" />
      <rect x={x} y="0" width={width} height={HEIGHT} className="fill-n4" />
      <rect x={x} y={tops.healthy} width={width} height={healthy} className="fill-ok" />
      <rect x={x} y={tops.degraded} width={width} height={degraded} className="fill-warn" />
      <rect x={x} y={tops.down} width={width} height={down} className="fill-bad" />
      {down > 0 && <rect x={x} y={HEIGHT + 2} width={width} height={MARKS - 2} className="fill-bad" />}
      {down === 0 && degraded > 0 && <rect x={x + width / 4} y={HEIGHT + 2} width={width / 2} height={MARKS - 2} className="fill-warn" />}
      {chosen && <rect x={x} y="0" width={width} height={HEIGHT + MARKS} className="fill-none stroke-ink stroke-2" vectorEffect="non-scaling-stroke" />}
    </>
  )
}

/** Three decimals tell 99.95 from 99.99; never "100 %" while it was down for a moment. */
function formatUptime(ratio: number): string {
  if (ratio === 1 || ratio === 0) return formatRatio(ratio)
  return `${(Math.floor(ratio * 100_000) / 1000).toFixed(ratio > 0.99 ? 2 : 1)} %`
}

function barWords(bar: UptimeBar): string {
  const span = Date.parse(bar.to) - Date.parse(bar.from)
  const known = bar.healthyMs + bar.degradedMs + bar.downMs
  const parts = [
    bar.healthyMs > 0 && `healthy ${formatSpan(bar.healthyMs)}`,
    bar.degradedMs > 0 && `degraded ${formatSpan(bar.degradedMs)}`,
    bar.downMs > 0 && `down ${formatSpan(bar.downMs)}`,
    span - known > 1000 && `unknown ${formatSpan(span - known)}`,
  ]
  return `${when(bar, span)}: ${parts.filter(Boolean).join(', ')}`
}

function when({ from, to }: UptimeBar, span: number): string {
  return span > 20 * HOUR_MS ? formatDate(from) : `${formatDate(from)}, ${formatHour(from)} to ${formatHour(to)}`
}

const COLUMNS = ['healthyMs', 'degradedMs', 'downMs'] as const

/** The same in figures. */
function Table({ uptime }: { uptime: Uptime[] }) {
  return (
    <details className="text-13">
      <summary className="text-12 text-muted">In figures</summary>
      <div className="overflow-x-auto pt-2 scroll-thin">
        <table className="w-full text-left">
          <thead className="text-12 text-muted">
            <tr>
              {['Window', 'Uptime', 'Known', 'Healthy', 'Degraded', 'Down'].map((head, index) => (
                <th key={head} scope="col" className={cx('py-1 pr-4 font-normal', index > 0 && 'text-right')}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {uptime.map(({ window, uptime: ratio, coverage, bars }) => (
              <tr key={window} className="border-t border-line">
                <th scope="row" className="py-1 pr-4 font-normal whitespace-nowrap">
                  {WINDOW_WORDS[window] ?? window}
                </th>
                <td className="py-1 pr-4 text-right whitespace-nowrap">{ratio === null ? 'unknown' : formatUptime(ratio)}</td>
                <td className="py-1 pr-4 text-right whitespace-nowrap">{formatRatio(coverage)}</td>
                {COLUMNS.map((column) => (
                  <td key={column} className="py-1 pr-4 text-right whitespace-nowrap">
                    {formatSpan(bars.reduce((sum, bar) => sum + bar[column], 0))}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}
