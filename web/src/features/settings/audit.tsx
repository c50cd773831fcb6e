import { useQuery } from '@tanstack/react-query'
import { auditQuery } from '@/api/queries/settings'
import { Panel } from '@/ui/layout'
import { Empty, Loaded, SkeletonRows } from '@/ui/states'
import { Ago } from '@/ui/time'

/** Who changed what, newest first. */
export function AuditPanel() {
  const query = useQuery(auditQuery)
  return (
    <Panel id="audit" title="Audit log">
      <Loaded query={query} loading={<SkeletonRows rows={6} label="Loading the audit log" />}>
        {(entries) =>
          entries.length === 0 ? (
            <Empty title="Nothing has been changed yet">Every change and who made it is written here.</Empty>
          ) : (
            <ul className="divide-y divide-line">
              {entries.map((entry) => (
                <li key={`${entry.at} ${entry.action} ${entry.target ?? ''}`} className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-4 px-4 py-2 text-13">
                  <span className="min-w-0">
                    <span className="font-medium">{entry.actorName}</span> <code className="font-mono text-12 text-muted">{entry.action}</code>
                    <span className="block truncate text-12 text-muted" title={entry.summary ?? undefined}>
                      {[entry.summary ?? entry.target, entry.result !== 'ok' && entry.result].filter(Boolean).join(', ')}
                    </span>
                  </span>
                  <Ago at={entry.at} className="text-12 text-muted" />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  )
}
