import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { integrationsQuery } from '@/api/queries/integrations'
import { overviewQuery } from '@/api/queries/overview'
import type { Health, Integration, Overview } from '@/api/types'
import { HEALTH_ORDER, HEALTH_WORDS } from '@/api/words'
import { Bars } from '@/ui/bars'
import { cx } from '@/ui/cx'
import { formatCount, formatPercent, plural } from '@/ui/format'
import { Panel } from '@/ui/layout'
import { TextLink } from '@/ui/link'
import { ErrorState, Skeleton } from '@/ui/states'
import { HealthShape } from '@/ui/status'

/** Three numbers with their evidence: health now, the last 24 hours, whether explanations help. */
export function HealthSummary() {
  const overview = useQuery(overviewQuery)
  const integrations = useQuery(integrationsQuery)
  if (overview.error && !overview.data) {
    return (
      <Panel>
        <ErrorState error={overview.error} onRetry={() => void overview.refetch()} />
      </Panel>
    )
  }
  return (
    <section
      aria-label="Health overview"
      className="grid divide-line rounded-lg border border-line bg-surface max-lg:divide-y lg:grid-cols-[minmax(21rem,1fr)_minmax(0,1.4fr)_minmax(0,0.8fr)] lg:divide-x"
    >
      <Cell title="Health">{integrations.data ? <Counts integrations={integrations.data} /> : <Skeleton className="h-14 w-40" />}</Cell>
      <Cell title="Last 24 hours">{overview.data ? <Day overview={overview.data} /> : <Skeleton className="h-14" />}</Cell>
      <Cell title="Explanations">{overview.data ? <Helpful overview={overview.data} /> : <Skeleton className="h-14 w-40" />}</Cell>
    </section>
  )
}

function Cell({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="flex min-w-0 flex-col gap-1.5 px-4 py-3">
      <h2 className="text-12 font-medium text-muted">{title}</h2>
      {children}
    </div>
  )
}

const BIG = 'text-28 font-semibold tracking-tight'

function Counts({ integrations }: { integrations: Integration[] }) {
  const count = (health: Health) => integrations.filter((item) => item.health === health).length
  return (
    <ul className="grid grid-cols-4 gap-2">
      {HEALTH_ORDER.map((health) => (
        <li key={health}>
          <Link to="/integrations" search={{ health }} className="-mx-1.5 block rounded-md px-1.5 hover:bg-n3">
            <span className={cx(BIG, 'block', count(health) === 0 && 'text-n8')}>{count(health)}</span>
            <span className="flex items-center gap-1.5 text-12 text-muted">
              <HealthShape health={health} small />
              {HEALTH_WORDS[health]}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  )
}

function Day({ overview: { events24h } }: { overview: Overview }) {
  const { total, failures, successRate, perHour } = events24h
  return (
    <div className="grid grid-cols-[auto_minmax(0,1fr)] items-end gap-x-6">
      <div>
        <p className={BIG}>{successRate === null ? '–' : formatPercent(successRate)}</p>
        <p className="text-12 whitespace-nowrap text-muted">
          {total === 0 ? (
            'nothing has happened yet'
          ) : (
            <>
              of {plural(total, 'event')} succeeded,{' '}
              <TextLink to="/events" search={{ status: 'failure' }}>
                {formatCount(failures)} failed
              </TextLink>
            </>
          )}
        </p>
      </div>
      <Bars buckets={perHour} label="Events per hour" className="h-12 self-stretch" />
    </div>
  )
}

function Helpful({ overview }: { overview: Overview }) {
  const { yes, no } = overview.helpful
  const marks = yes + no
  return (
    <div>
      <p className={BIG}>{marks === 0 ? '–' : formatPercent((100 * yes) / marks)}</p>
      <p className="text-12 text-muted">
        {marks === 0 ? 'nobody has marked one yet' : `helpful, of ${plural(marks, 'mark')}`}
        {' · '}
        <TextLink to="/problems">{plural(overview.openProblems, 'open problem')}</TextLink>
      </p>
    </div>
  )
}
