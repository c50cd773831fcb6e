import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { integrationsQuery } from '@/api/queries/integrations'
import type { EventSummary, Integration } from '@/api/types'
import { HEALTH_ORDER } from '@/api/words'
import { withEvent } from '@/features/shared/url-state'
import { ProviderIcon } from '@/provider/provider-icon'
import { Bars } from '@/ui/bars'
import { LinkButton } from '@/ui/button'
import { formatPercent, formatTook } from '@/ui/format'
import { PlusIcon } from '@/ui/icons'
import { Panel } from '@/ui/layout'
import { Loaded, Skeleton } from '@/ui/states'
import { HealthWord, OutcomeShape } from '@/ui/status'
import { Ago, Since } from '@/ui/time'

/** Worst first, then by name: the order people look for trouble in. */
export function byTrouble(a: Integration, b: Integration): number {
  const byHealth = HEALTH_ORDER.indexOf(a.health) - HEALTH_ORDER.indexOf(b.health)
  return byHealth || a.name.localeCompare(b.name)
}

const GRID = 'grid grid-cols-[repeat(auto-fill,minmax(min(100%,13.5rem),1fr))] gap-3 p-3'

/** Every integration at a glance: health, the last day, the last three events. */
export function IntegrationCards() {
  const query = useQuery(integrationsQuery)
  return (
    <Panel
      id="integrations"
      title="Integrations"
      aside={
        <LinkButton to="/integrations/new" size="sm">
          <PlusIcon className="size-3.5" /> Add
        </LinkButton>
      }
    >
      <Loaded query={query} loading={<CardSkeletons />}>
        {(integrations) => (
          <ul className={GRID}>
            {integrations.toSorted(byTrouble).map((integration) => (
              <li key={integration.id} className="min-w-0">
                <Card integration={integration} />
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  )
}

function CardSkeletons() {
  return (
    <div role="status" aria-label="Loading integrations" className={GRID}>
      {[0, 1, 2, 3].map((card) => (
        <Skeleton key={card} className="h-44" />
      ))}
    </div>
  )
}

function Card({ integration }: { integration: Integration }) {
  return (
    <article className="flex h-full flex-col gap-2.5 rounded-md border border-line p-3 hover:border-line-strong">
      <header className="flex items-center gap-2.5">
        <ProviderIcon provider={integration.provider} name={integration.name} size="md" />
        <div className="min-w-0 flex-1">
          <h3 className="truncate text-13 font-semibold">
            <Link to="/integrations/$id" params={{ id: integration.id }} data-row className="hover:underline">
              {integration.name}
            </Link>
          </h3>
          <p className="flex items-center gap-1 text-12 text-muted">
            <HealthWord health={integration.health} />
            {integration.health !== 'healthy' && <Since at={integration.healthSince} />}
          </p>
        </div>
      </header>
      <div className="flex items-end gap-3">
        <Bars buckets={integration.sparkline} label={`${integration.name}, events per hour`} className="h-8 flex-1" />
        <dl className="grid grid-cols-[auto_auto] gap-x-2 text-right text-12">
          <dt className="text-muted">score</dt>
          <dd className="font-medium">{integration.score ?? '–'}</dd>
          <dt className="text-muted">24 h</dt>
          <dd className="font-medium">
            {integration.record24h.successRate === null ? '–' : formatPercent(integration.record24h.successRate)}
          </dd>
        </dl>
      </div>
      <LastEvents events={integration.lastEvents} />
      <p className="mt-auto flex flex-wrap justify-between gap-x-3 text-12 text-muted">
        <span>
          {integration.lastSuccessAt ? (
            <>
              last success <Ago at={integration.lastSuccessAt} />
            </>
          ) : (
            'no success yet'
          )}
        </span>
        {integration.lastCheckAt && (
          <span>
            checked <Ago at={integration.lastCheckAt} />
            {typeof integration.responseTimeMs === 'number' && `, ${formatTook(integration.responseTimeMs)}`}
          </span>
        )}
      </p>
    </article>
  )
}

function LastEvents({ events }: { events: EventSummary[] }) {
  if (events.length === 0) {
    return <p className="border-t border-line pt-2 text-12 text-muted">No event yet. Send one from the provider to see it here.</p>
  }
  return (
    <ul aria-label="Last events" className="border-t border-line pt-1.5">
      {events.map((event) => (
        <li key={event.id}>
          <Link
            {...withEvent(event.id)}
            title={event.message}
            className="-mx-1 grid min-h-6 grid-cols-[auto_minmax(0,1fr)_auto] items-center gap-2 rounded-sm px-1 text-12 hover:bg-n3"
          >
            <OutcomeShape status={event.status} />
            <span className="truncate">{event.status === 'failure' ? event.message : event.eventType}</span>
            <span className="text-muted">
              <Ago at={event.receivedAt} />
            </span>
          </Link>
        </li>
      ))}
    </ul>
  )
}
