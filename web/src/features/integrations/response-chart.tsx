import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { HEALTH_WINDOWS, type HealthWindow } from '@/api/filters'
import { hourlyQuery } from '@/api/queries/health'
import type { HealthBucket, HealthEntry, IntegrationHealth } from '@/api/types'
import { usePageSearch } from '@/features/shared/url-state'
import { formatPercent, formatTook, plural } from '@/ui/format'
import { Panel } from '@/ui/layout'
import { Segmented } from '@/ui/segmented'
import { Empty, Loaded, Skeleton } from '@/ui/states'
import { TimeChart, withGaps, type ChartSeries } from '@/ui/time-chart'
import { useZoom } from './zoom'

const HOUR_MS = 3_600_000
/** Checks are late now and then; only more than this many intervals without one is a gap. */
const GAP_INTERVALS = 3
const WINDOW_WORDS: Record<HealthWindow, string> = { latest: 'Latest', '24h': '24 h', '7d': '7 d', '30d': '30 d' }
const OPTIONS = HEALTH_WINDOWS.map((id) => ({ id, label: WINDOW_WORDS[id] }))

/** How long checks took: each of the last hundred, or the median and the slow end of each hour. */
export function ResponsePanel({ health }: { health: IntegrationHealth }) {
  const [search, setSearch] = usePageSearch()
  const window = HEALTH_WINDOWS.find((item) => item === search.window) ?? 'latest'
  const hours = useQuery(hourlyQuery(health.integrationId, window))
  return (
    <Panel
      id="response"
      title="Response time"
      aside={<Segmented label="Window" value={window} options={OPTIONS} onChange={(id) => setSearch({ window: id === 'latest' ? undefined : id, zoom: undefined })} />}
    >
      <div className="p-4">
        {window === 'latest' ? (
          <LatestChart health={health} />
        ) : (
          <Loaded query={hours} loading={<Skeleton className="h-52" />}>
            {(buckets) => <HourlyChart buckets={buckets} />}
          </Loaded>
        )}
      </div>
    </Panel>
  )
}

function LatestChart({ health: { history, current, statistics } }: { health: IntegrationHealth }) {
  const [zoom, setZoom] = useZoom()
  const { times, series } = useMemo(() => latestSeries(history, current.intervalS * 1000), [history, current.intervalS])
  if (history.length === 0) return <Empty title="No check yet">Each check adds a point here.</Empty>
  const failed = history.filter((entry) => entry.errorCode !== null || entry.rung !== null).length
  const { p50Ms, p95Ms, count, successRate } = statistics
  const facts = p50Ms !== null && p95Ms !== null ? `Half of ${plural(count, 'check')} took at most ${formatTook(p50Ms)}, 95 % at most ${formatTook(p95Ms)}` : plural(count, 'check')
  const rate = successRate === null ? '' : `; ${formatPercent(successRate)} went well`
  return (
    <TimeChart
      label="Response time of each check"
      summary={`${facts}${rate}. Of the last ${plural(history.length, 'check')} here, ${failed === 0 ? 'none failed' : `${failed} failed`}.`}
      times={times}
      series={series}
      format={formatTook}
      zoom={zoom}
      onZoom={setZoom}
    />
  )
}

function latestSeries(history: HealthEntry[], intervalMs: number): { times: number[]; series: ChartSeries[] } {
  const { times, points } = withGaps(history.toReversed(), (entry) => Date.parse(entry.checkedAt), intervalMs * GAP_INTERVALS)
  const isFailure = (entry: HealthEntry) => entry.errorCode !== null || entry.rung !== null
  return {
    times,
    series: [
      { label: 'took', tone: 'accent', values: points.map((entry) => entry?.responseTimeMs ?? null) },
      { label: 'failed after', tone: 'bad', look: 'marks', values: points.map((entry) => (entry && isFailure(entry) ? (entry.responseTimeMs ?? 0) : null)) },
    ],
  }
}

function HourlyChart({ buckets }: { buckets: HealthBucket[] }) {
  const [zoom, setZoom] = useZoom()
  const { times, series } = useMemo(() => hourlySeries(buckets), [buckets])
  if (buckets.length === 0) return <Empty title="No hour is summed up yet">Hours appear here once they have passed. The latest checks are under Latest.</Empty>
  const slowest = buckets.reduce((worst, bucket) => ((bucket.p95Ms ?? 0) > (worst.p95Ms ?? 0) ? bucket : worst))
  const checks = buckets.reduce((sum, bucket) => sum + bucket.count, 0)
  const failed = buckets.reduce((sum, bucket) => sum + bucket.failed, 0)
  return (
    <TimeChart
      label="Response time by hour"
      summary={`${plural(checks, 'check')}, ${failed === 0 ? 'none failed' : `${failed} failed`}; the slowest hour had 95 % within ${formatTook(slowest.p95Ms ?? 0)}.`}
      times={times}
      series={series}
      format={formatTook}
      zoom={zoom}
      onZoom={setZoom}
    />
  )
}

function hourlySeries(buckets: HealthBucket[]): { times: number[]; series: ChartSeries[] } {
  const { times, points } = withGaps(buckets, (bucket) => Date.parse(bucket.from), HOUR_MS)
  return {
    times,
    series: [
      { label: 'p95', tone: 'quiet', values: points.map((bucket) => bucket?.p95Ms ?? null) },
      { label: 'p50', tone: 'accent', values: points.map((bucket) => bucket?.p50Ms ?? null) },
    ],
  }
}
