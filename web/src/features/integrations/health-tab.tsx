import type { IntegrationDetail, ScoreParts } from '@/api/types'
import { HEALTH_WORDS } from '@/api/words'
import { Bars } from '@/ui/bars'
import { formatCount, formatPercent, plural } from '@/ui/format'
import { Facts, Panel, Tag } from '@/ui/layout'
import { HealthShape } from '@/ui/status'
import { Ago } from '@/ui/time'
import { ProblemLinks } from './detail-lists'
import { EventRow } from '@/features/shared/event-row'

/** The condition now with its reasons, the score with its parts, the last day, and the newest evidence. */
export function HealthTab({ integration }: { integration: IntegrationDetail }) {
  return (
    <div className="grid items-start gap-4 xl:grid-cols-2">
      <div className="grid gap-4">
        <Panel id="condition" title="Condition">
          <Reasons integration={integration} />
        </Panel>
        <Panel id="open-problems" title="Open problems">
          <ProblemLinks problems={integration.problems} />
        </Panel>
      </div>
      <Panel id="score" title="Score">
        <Score score={integration.score} parts={integration.scoreParts} />
      </Panel>
      <Panel id="day" title="Last 24 hours" className="xl:col-span-2">
        <Day integration={integration} />
      </Panel>
      <Panel id="last-events" title="Last events" className="@container xl:col-span-2">
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

function Score({ score, parts }: { score: number | null; parts: ScoreParts }) {
  const rows: [string, number | null][] = [
    ['Freshness', parts.freshness],
    ['Success rate', parts.success],
    ['Error rate', parts.errorRate],
  ]
  return (
    <div className="flex flex-wrap items-start gap-x-8 gap-y-3 p-4">
      <p className="text-28 font-semibold tracking-tight">
        {score ?? '–'}
        <span className="ml-1 text-13 font-normal text-muted">of 100</span>
      </p>
      <div className="flex min-w-0 flex-1 basis-56 flex-col gap-2">
        {rows.map(([label, value]) => (
          <div key={label} className="grid grid-cols-[6rem_minmax(0,1fr)_3rem] items-center gap-3 text-13">
            <span className="text-muted">{label}</span>
            <Meter value={value} />
            <span className="text-right">{value === null ? 'does not apply' : Math.round(asPercent(value))}</span>
          </div>
        ))}
        <p className="text-12 text-pretty text-muted">{parts.sentence}</p>
        {parts.caps.length > 0 && (
          <p className="flex flex-wrap gap-1">
            {parts.caps.map((cap) => (
              <Tag key={cap}>{cap}</Tag>
            ))}
          </p>
        )}
      </div>
    </div>
  )
}

/** Parts come as 0 to 1. */
const asPercent = (value: number) => value * 100

function Meter({ value }: { value: number | null }) {
  return (
    <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" className="h-1.5 w-full">
      <rect width="100" height="4" rx="1" className="fill-n4" />
      {value !== null && <rect width={asPercent(value)} height="4" rx="1" className="fill-n8" />}
    </svg>
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
