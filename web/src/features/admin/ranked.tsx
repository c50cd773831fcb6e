import type { ReactNode } from 'react'
import type { AdminHealth } from '@/api/types'
import { ProviderIcon } from '@/provider/provider-icon'
import { formatPercent, formatTook, plural } from '@/ui/format'
import { Panel } from '@/ui/layout'
import { TextLink } from '@/ui/link'

/** Where to look first: the slowest, and those whose checks failed most. */
export function RankedPanels({ health: { slowest, mostFailing } }: { health: AdminHealth }) {
  return (
    <div className="grid items-start gap-4 xl:grid-cols-2">
      <Ranked
        id="slowest"
        title="Slowest"
        none="No check was slow: there was none in this window."
        items={slowest.map((item) => ({ ...item, figure: `95 % within ${formatTook(item.p95Ms)}`, more: `${formatTook(item.averageMs)} on average` }))}
      />
      <Ranked
        id="failing"
        title="Most failing"
        none="No check failed in this window."
        items={mostFailing.map((item) => ({ ...item, figure: `${plural(item.failed, 'check')} failed`, more: `${formatPercent((100 * item.failed) / Math.max(1, item.checks))} of ${plural(item.checks, 'check')}` }))}
      />
    </div>
  )
}

interface RankedProps {
  id: string
  title: string
  none: string
  items: { integrationId: string; name: string; provider: string; figure: ReactNode; more: ReactNode }[]
}

function Ranked({ id, title, none, items }: RankedProps) {
  return (
    <Panel id={id} title={title}>
      {items.length === 0 ? (
        <p className="p-4 text-13 text-muted">{none}</p>
      ) : (
        <ol aria-label={`${title}, worst first`} className="divide-y divide-line">
          {items.map((item) => (
            <li key={item.integrationId} className="flex items-center gap-3 px-4 py-2 text-13">
              <ProviderIcon provider={item.provider} name={item.name} />
              <TextLink to="/integrations/$id" params={{ id: item.integrationId }} className="min-w-0 flex-1 truncate">
                {item.name}
              </TextLink>
              <span className="text-right">
                <span className="block">{item.figure}</span>
                <span className="block text-12 text-muted">{item.more}</span>
              </span>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  )
}
