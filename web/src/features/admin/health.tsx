import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { ADMIN_WINDOWS, type AdminWindow } from '@/api/filters'
import { adminHealthQuery } from '@/api/queries/health'
import type { AdminHealth } from '@/api/types'
import { HEALTH_ORDER, HEALTH_WORDS } from '@/api/words'
import { usePageSearch } from '@/features/shared/url-state'
import { cx } from '@/ui/cx'
import { formatCount, formatPercent, formatTook, plural } from '@/ui/format'
import { Panel } from '@/ui/layout'
import { Segmented } from '@/ui/segmented'
import { Empty, Loaded, SkeletonRows } from '@/ui/states'
import { HealthShape } from '@/ui/status'
import { TimeChart, type ChartSeries } from '@/ui/time-chart'
import { Ago } from '@/ui/time'
import { HealthFiles } from './health-files'
import { IncidentsPanel } from './incidents'
import { ProviderTable } from './provider-table'
import { RankedPanels } from './ranked'

const WINDOW_WORDS: Record<AdminWindow, string> = { '24h': '24 h', '7d': '7 d', '30d': '30 d' }
const OPTIONS = ADMIN_WINDOWS.map((id) => ({ id, label: WINDOW_WORDS[id] }))

/** Every integration of the installation together: totals, rates by provider, trends, the slowest and the most failing. */
export function HealthPanels() {
  const [search, setSearch] = usePageSearch()
  const window = ADMIN_WINDOWS.find((item) => item === search.window) ?? '24h'
  const query = useQuery(adminHealthQuery(window))
  return (
    <>
      <div className="flex flex-wrap items-center gap-2">
        <Segmented label="Window" value={window} options={OPTIONS} onChange={(id) => setSearch({ window: id === '24h' ? undefined : id, zoom: undefined })} />
        {query.data && (
          <span className="text-12 text-muted">
            as of <Ago at={query.data.generatedAt} />
          </span>
        )}
        <span className="ml-auto flex gap-2" data-print="hide">
          <HealthFiles window={window} />
        </span>
      </div>
      <Loaded
        query={query}
        loading={
          <Panel>
            <SkeletonRows rows={8} label="Loading the health of the installation" />
          </Panel>
        }
      >
        {(health) => (health.totals.integrations === 0 ? <NothingYet /> : <Panels health={health} />)}
      </Loaded>
    </>
  )
}

function NothingYet() {
  return (
    <Panel>
      <Empty title="No project has an integration yet">Once one has, its checks are summed up here.</Empty>
    </Panel>
  )
}

function Panels({ health }: { health: AdminHealth }) {
  return (
    <>
      <Totals health={health} />
      <IncidentsPanel incidents={health.incidents} />
      <Panel id="providers" title="By provider">
        <ProviderTable providers={health.providers} />
      </Panel>
      <Panel id="trend" title="Trend">
        <Trend health={health} />
      </Panel>
      <RankedPanels health={health} />
    </>
  )
}

const BIG = 'text-28 font-semibold tracking-tight'

function Totals({ health: { totals, checks } }: { health: AdminHealth }) {
  return (
    <section aria-label="Totals" className="grid divide-line rounded-lg border border-line bg-surface max-md:divide-y md:grid-cols-2 md:divide-x">
      <div className="px-4 py-3">
        <h2 className="text-12 font-medium text-muted">{plural(totals.integrations, 'integration')} now</h2>
        <ul className="mt-1.5 grid grid-cols-4 gap-2">
          {HEALTH_ORDER.map((health) => (
            <li key={health}>
              <span className={cx(BIG, 'block', totals[health] === 0 && 'text-n8')}>{formatCount(totals[health])}</span>
              <span className="flex items-center gap-1.5 text-12 text-muted">
                <HealthShape health={health} small />
                {HEALTH_WORDS[health]}
              </span>
            </li>
          ))}
        </ul>
      </div>
      <div className="px-4 py-3">
        <h2 className="text-12 font-medium text-muted">{plural(checks.count, 'check')} in the window</h2>
        <dl className="mt-1.5 grid grid-cols-3 gap-2">
          <Figure label="went well" value={checks.successRate === null ? '–' : formatPercent(checks.successRate)} />
          <Figure label="on average" value={checks.averageMs === null ? '–' : formatTook(checks.averageMs)} />
          <Figure label="95 % within" value={checks.p95Ms === null ? '–' : formatTook(checks.p95Ms)} />
        </dl>
      </div>
    </section>
  )
}

function Figure({ label, value }: { label: string; value: string }) {
  return (
    <div className="flex flex-col-reverse">
      <dt className="text-12 text-muted">{label}</dt>
      <dd className={cx(BIG, 'whitespace-nowrap max-sm:text-20')}>{value}</dd>
    </div>
  )
}

function Trend({ health: { trend } }: { health: AdminHealth }) {
  const { times, rate, slow } = useMemo(() => trendSeries(trend), [trend])
  if (trend.length === 0) return <Empty title="No check in this window">The trend appears with the first hour of checks.</Empty>
  const checks = trend.reduce((sum, point) => sum + point.checks, 0)
  const failed = trend.reduce((sum, point) => sum + point.failed, 0)
  const worst = trend.reduce((most, point) => (point.failed > most.failed ? point : most))
  return (
    <div className="grid gap-6 p-4 xl:grid-cols-2">
      <TimeChart
        label="Checks that failed"
        summary={`${formatCount(failed)} of ${plural(checks, 'check')} failed${failed > 0 ? `, at most ${formatCount(worst.failed)} at once` : ''}.`}
        times={times}
        series={rate}
        format={formatCount}
      />
      <TimeChart label="Response time, 95 % within" summary="How long the slow end of the checks took." times={times} series={slow} format={formatTook} />
    </div>
  )
}

function trendSeries(trend: AdminHealth['trend']): { times: number[]; rate: ChartSeries[]; slow: ChartSeries[] } {
  return {
    times: trend.map((point) => Date.parse(point.from)),
    rate: [{ label: 'failed', tone: 'bad', values: trend.map((point) => point.failed) }],
    slow: [{ label: '95 % within', tone: 'accent', values: trend.map((point) => point.p95Ms) }],
  }
}
