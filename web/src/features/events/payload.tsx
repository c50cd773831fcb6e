import { useState } from 'react'
import type { EventDetail } from '@/api/types'
import { CopyButton } from '@/ui/copy'
import { formatBytes } from '@/ui/format'
import { JsonTree } from '@/ui/json-view'
import { Segmented } from '@/ui/segmented'

type View = 'tree' | 'json'
const VIEWS: { id: View; label: string }[] = [
  { id: 'tree', label: 'Tree' },
  { id: 'json', label: 'JSON' },
]

/** What was delivered, after redaction: as a tree that folds or as text. */
export function PayloadView({ event }: { event: EventDetail }) {
  const [view, setView] = useState<View>('tree')
  if (event.payload === null) {
    return (
      <section aria-label="Payload">
        <h3 className="text-13 font-semibold">Payload</h3>
        <p className="text-13 text-muted">None was kept for this event.</p>
      </section>
    )
  }
  const text = JSON.stringify(event.payload, null, 2)
  return (
    <section aria-label="Payload" className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h3 className="text-13 font-semibold">Payload</h3>
        <span className="text-12 text-muted">
          redacted before it was stored; {formatBytes(event.payloadBytes)} as received
        </span>
        <div className="ml-auto flex items-center gap-1">
          <Segmented label="Payload view" value={view} options={VIEWS} onChange={setView} />
          <CopyButton text={text} label="Copy the payload as JSON" />
        </div>
      </div>
      <div
        role="region"
        aria-label="Payload content"
        // A region that scrolls must be reachable without a mouse.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        className="max-h-96 overflow-auto rounded-md border border-line bg-canvas p-3 scroll-thin focus-inset"
      >
        {view === 'tree' ? (
          <JsonTree value={event.payload} />
        ) : (
          <pre className="font-mono text-12 leading-5">{text}</pre>
        )}
      </div>
    </section>
  )
}

/** The request headers that were kept; signatures and credentials never are. */
export function Headers({ headers }: { headers: Record<string, string> }) {
  const entries = Object.entries(headers)
  if (entries.length === 0) return null
  return (
    <section aria-label="Headers" className="flex flex-col gap-2">
      <h3 className="text-13 font-semibold">Headers kept</h3>
      <dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-4 gap-y-1 font-mono text-12">
        {entries.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="min-w-0 break-all">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
