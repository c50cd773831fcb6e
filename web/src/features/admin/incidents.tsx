import type { ProviderIncident } from '@/api/types'
import { ProviderIcon } from '@/provider/provider-icon'
import { plural } from '@/ui/format'
import { Panel, Tag } from '@/ui/layout'
import { HealthShape } from '@/ui/status'
import { Ago, ClockTime, Since } from '@/ui/time'

/** What was wrong at providers, not at us: open ones first, each with what happened when. */
export function IncidentsPanel({ incidents }: { incidents: ProviderIncident[] }) {
  const sorted = incidents.toSorted((a, b) => Number(a.closedAt !== null) - Number(b.closedAt !== null) || b.openedAt.localeCompare(a.openedAt))
  return (
    <Panel id="incidents" title="Provider incidents">
      {sorted.length === 0 ? (
        <p className="p-4 text-13 text-muted">None in this window: what failed, failed for single integrations.</p>
      ) : (
        <ul className="divide-y divide-line">
          {sorted.map((incident) => (
            <Incident key={incident.id} incident={incident} />
          ))}
        </ul>
      )}
    </Panel>
  )
}

function Incident({ incident }: { incident: ProviderIncident }) {
  const open = incident.closedAt === null
  return (
    <li className="flex gap-3 px-4 py-3 text-13">
      <HealthShape health={open ? 'degraded' : 'healthy'} className="mt-1" />
      <div className="min-w-0 flex-1">
        <p className="flex items-start gap-2">
          <ProviderIcon provider={incident.provider} name={incident.provider} />
          <span className="min-w-0">
            <span className="mr-2 font-medium">{incident.summary}</span>
            <Tag mono>{incident.cause}</Tag>
          </span>
        </p>
        <p className="text-12 text-muted">
          {incident.closedAt === null ? (
            <>
              open for <Since at={incident.openedAt} />
            </>
          ) : (
            <>
              closed <Ago at={incident.closedAt} />
            </>
          )}
          , {plural(incident.affected, 'integration')} affected
        </p>
        {incident.updates.length > 0 && (
          <ol aria-label="Timeline" className="mt-1.5 flex flex-col gap-1 border-l border-line pl-3 text-12">
            {incident.updates.map((update) => (
              <li key={`${update.at} ${update.text}`} className="grid grid-cols-[4rem_minmax(0,1fr)] gap-2">
                <span className="text-muted">
                  <ClockTime at={update.at} />
                </span>
                <span className="text-pretty">{update.text}</span>
              </li>
            ))}
          </ol>
        )}
      </div>
    </li>
  )
}
