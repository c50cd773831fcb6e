import { useMemo } from 'react'
import type { IntegrationHealth, Quota, QuotaPoint } from '@/api/types'
import { formatCount } from '@/ui/format'
import { Panel } from '@/ui/layout'
import { TimeChart, withGaps, type ChartSeries } from '@/ui/time-chart'
import { Ago, useTimeText } from '@/ui/time'
import { formatAgo } from '@/ui/format'

const HOUR_MS = 3_600_000

/** What remains of each rate limit, over time, and when it will be used up if it goes on like this. */
export function QuotaPanel({ health }: { health: IntegrationHealth }) {
  const { quotas } = health.current
  if (quotas.length === 0) return null
  return (
    <Panel id="quotas" title="Rate limits">
      <ul className="divide-y divide-line">
        {quotas.map((quota) => (
          <li key={quota.name} className="flex flex-col gap-2 p-4">
            <Head quota={quota} />
            <Remaining quota={quota} history={health.quotaHistory} />
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function Head({ quota }: { quota: Quota }) {
  return (
    <div className="flex flex-wrap items-baseline gap-x-3 text-13">
      <h3 className="font-medium">{quota.name}</h3>
      <span className="text-muted">
        {formatCount(quota.remaining)} left{quota.limit !== null && ` of ${formatCount(quota.limit)}`}
        {quota.ownCount && ', by our own count'}
      </span>
      {quota.resetsAt && (
        <span className="ml-auto text-12 text-muted">
          full again <Ago at={quota.resetsAt} />
        </span>
      )}
    </div>
  )
}

function Remaining({ quota, history }: { quota: Quota; history: QuotaPoint[] }) {
  const { times, series } = useMemo(() => seriesOf(quota, history), [quota, history])
  const forecast = useTimeText((now) => forecastWords(quota, now))
  if (times.length < 2) return <p className="text-12 text-muted">{forecast}</p>
  return <TimeChart label={`What remained of ${quota.name}`} summary={forecast} times={times} series={series} format={formatCount} />
}

function forecastWords({ exhaustedAt, resetsAt }: Quota, now: number): string {
  if (!exhaustedAt) return 'At this rate it does not run out.'
  if (Date.parse(exhaustedAt) <= now) return 'It is used up.'
  const before = resetsAt && exhaustedAt < resetsAt ? `, before it is full again ${formatAgo(resetsAt, now)}` : ''
  return `At this rate it is used up ${formatAgo(exhaustedAt, now)}${before}.`
}

/** What was measured, then the forecast as a straight line from the last measure to nothing. */
function seriesOf(quota: Quota, history: QuotaPoint[]): { times: number[]; series: ChartSeries[] } {
  const own = history.filter((point) => point.name === quota.name).toSorted((a, b) => a.at.localeCompare(b.at))
  const { times, points } = withGaps(own, (point) => Date.parse(point.at), 2 * HOUR_MS)
  const measured = points.map((point) => point?.remaining ?? null)
  const end = quota.exhaustedAt === null ? Number.NaN : Date.parse(quota.exhaustedAt)
  const remaining: ChartSeries = { label: 'left', tone: 'accent', values: measured }
  if (!(end > (times.at(-1) ?? Number.POSITIVE_INFINITY))) return { times, series: [remaining] }
  const forecast = [...measured.map((value, index) => (index === measured.length - 1 ? value : null)), 0]
  return {
    times: [...times, end],
    series: [
      { ...remaining, values: [...measured, null] },
      { label: 'forecast', tone: 'warn', look: 'dashed', values: forecast },
    ],
  }
}
