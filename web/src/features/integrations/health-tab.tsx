import { useQuery } from '@tanstack/react-query'
import { healthQuery } from '@/api/queries/health'
import type { IntegrationDetail, IntegrationHealth } from '@/api/types'
import { HEALTH_WORDS } from '@/api/words'
import { EventRow } from '@/features/shared/event-row'
import { Bars } from '@/ui/bars'
import { formatCount, formatPercent, plural } from '@/ui/format'
import { Facts, Panel } from '@/ui/layout'
import { ErrorState, SkeletonRows } from '@/ui/states'
import { HealthShape } from '@/ui/status'
import { Ago } from '@/ui/time'
import { CredentialCard } from './credential-card'
import { ProblemLinks } from './detail-lists'
import { LastCheckPanel } from './last-check'
import { QuotaPanel } from './quota-panel'
import { ResponsePanel } from './response-chart'
import { Score } from './score'
import { StaleMark } from './stale-mark'
import { UptimePanel } from './uptime'

/** The condition now with its reasons, the last check rung by rung, uptime and charts, and the newest evidence. */
export function HealthTab({ integration }: { integration: IntegrationDetail }) {
  const query = useQuery(healthQuery(integration.id))
  return (
    <>
      <StaleMark query={query} />
      <div className="grid items-start gap-4 xl:grid-cols-2">
        <div className="grid min-w-0 gap-4">
          <Panel id="condition" title="Condition">
            <Reasons integration={integration} />
          </Panel>
          {query.data ? (
            <LastCheckPanel integration={integration} current={query.data.current} />
          ) : (
            <Panel id="last-check" title="Last check">
              {query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : <SkeletonRows rows={6} label="Loading the last check" />}
            </Panel>
          )}
        </div>
        <div className="grid min-w-0 gap-4">
          {query.data && <CredentialCard id={integration.id} current={query.data.current} />}
          <Panel id="open-problems" title="Open problems">
            <ProblemLinks problems={integration.problems} />
          </Panel>
          <Panel id="score" title="Score">
            <Score score={integration.score} parts={integration.scoreParts} />
          </Panel>
        </div>
      </div>
      {query.data && <Evidence health={query.data} />}
      <div className="grid items-start gap-4">
        <Panel id="day" title="Events of the last 24 hours">
          <Day integration={integration} />
        </Panel>
        <Panel id="last-events" title="Last events" className="@container">
          {integration.lastEvents.length === 0 ? (
            <p className="p-4 text-13 text-muted">None yet. The first one appears here the moment it arrives.</p>
          ) : (
            <ul aria-label="Last events, newest first">
              {integration.lastEvents.map((event) => (
                <EventRow key={event.id} event={event} ownIntegration />
              ))}
            </ul>
          )}
        </Panel>
      </div>
    </>
  )
}

/** What only checks can tell; absent until there was one. */
function Evidence({ health }: { health: IntegrationHealth }) {
  if (health.current.lastCheckAt === null && health.history.length === 0) return null
  return (
    <div className="grid items-start gap-4 xl:grid-cols-2">
      <div className="min-w-0 xl:col-span-2">
        <UptimePanel uptime={health.uptime} />
      </div>
      <ResponsePanel health={health} />
      <QuotaPanel health={health} />
    </div>
  )
}

function Reasons({ integration }: { integration: IntegrationDetail }) {
  if (integration.reasons.length === 0) {
    const text = integration.health === 'unknown' ? 'Nothing has been heard yet, so there is nothing to say.' : 'Nothing is wrong.'
    return (
      <p className="flex items-center gap-2 p-4 text-13">
        <HealthShape health={integration.health} label />
        {text}
      </p>
    )
  }
  return (
    <ul className="divide-y divide-line">
      {integration.reasons.map((reason) => (
        <li key={reason.code} className="flex items-start gap-3 px-4 py-3 text-13">
          <HealthShape health={integration.health} label className="mt-1" />
          <span className="min-w-0">
            <span className="block text-pretty">{reason.message}</span>
            <code className="font-mono text-12 text-muted">{reason.code}</code>
          </span>
        </li>
      ))}
    </ul>
  )
}

function Day({ integration: { record24h, sparkline, lastFailureAt } }: { integration: IntegrationDetail }) {
  return (
    <div className="grid items-end gap-x-8 gap-y-4 p-4 lg:grid-cols-[minmax(0,1fr)_18rem]">
      <Bars buckets={sparkline} label="Events per hour" className="h-20" />
      <Facts
        items={[
          ['Succeeded', record24h.successRate === null ? 'nothing with an outcome yet' : `${formatPercent(record24h.successRate)} of ${plural(record24h.total, 'event')}`],
          ['Failed', formatCount(record24h.errors)],
          [
            'Record',
            <span key="record" className="inline-flex items-center gap-1.5">
              <HealthShape health={record24h.status} small />
              {HEALTH_WORDS[record24h.status]}
            </span>,
          ],
          ['Last failure', lastFailureAt ? <Ago key="failure" at={lastFailureAt} /> : 'never'],
        ]}
      />
    </div>
  )
}
