import { useInfiniteQuery } from '@tanstack/react-query'
import type { AuditScope } from '@/api/filters'
import { auditQuery } from '@/api/queries/audit'
import type { AuditEntry, AuditResult } from '@/api/types'
import { RESULT_WORDS } from '@/api/words'
import { auditFilters, usePageSearch } from '@/features/shared/url-state'
import { Button } from '@/ui/button'
import { cx } from '@/ui/cx'
import { Panel, Tag } from '@/ui/layout'
import { Empty, Loaded, SkeletonRows } from '@/ui/states'
import { HealthShape } from '@/ui/status'
import { Ago } from '@/ui/time'
import { AuditFile } from './audit-file'
import { AuditFilterBar, NO_AUDIT_FILTERS } from './audit-filters'
import { entryWords } from './audit-words'

/** Who changed what, newest first: of this project, or of the whole installation. The address holds the filters. */
export function AuditLog({ scope }: { scope: AuditScope }) {
  const [search, setSearch] = usePageSearch()
  const filters = auditFilters(search)
  const filtered = Object.values(filters).some((value) => value !== undefined)
  const query = useInfiniteQuery(auditQuery(scope, filters))
  const clear = () => setSearch(NO_AUDIT_FILTERS)
  return (
    <Panel id="audit" title="Audit log" className="@container" aside={<AuditFile scope={scope} filters={filters} />}>
      <div className="border-b border-line px-4 py-2" data-print="hide">
        <AuditFilterBar scope={scope} filters={filters} onChange={setSearch} {...(filtered && { onClear: clear })} />
      </div>
      <Loaded query={query} loading={<SkeletonRows rows={8} label="Loading the audit log" />}>
        {(data) => {
          const entries = data.pages.flatMap((page) => page.items)
          if (entries.length > 0) return <Entries entries={entries} withProject={scope === 'installation'} />
          return filtered ? (
            <Empty title="No row matches" actions={<Button onPress={clear}>Clear the filters</Button>}>
              Take away a filter, or look at other days.
            </Empty>
          ) : (
            <Empty title="Nothing has been changed yet">Every change, and every one that was refused, is written here with who made it.</Empty>
          )
        }}
      </Loaded>
      {query.hasNextPage && (
        <div className="border-t border-line p-2 text-center" data-print="hide">
          <Button size="sm" variant="ghost" isDisabled={query.isFetchingNextPage} onPress={() => void query.fetchNextPage()}>
            {query.isFetchingNextPage ? 'Loading older rows' : 'Load older rows'}
          </Button>
        </div>
      )}
    </Panel>
  )
}

function Entries({ entries, withProject }: { entries: AuditEntry[]; withProject: boolean }) {
  return (
    <ul aria-label="Changes, newest first" className="divide-y divide-line">
      {entries.map((entry) => (
        <li
          key={entry.seq}
          data-row
          tabIndex={-1}
          className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-4 gap-y-0.5 px-4 py-2 text-13 focus-inset @3xl:grid-cols-[12rem_minmax(0,1fr)_5rem_8rem]"
        >
          <span className="min-w-0 truncate font-medium">
            {entry.actorName} <ActorKind kind={entry.actorKind} />
          </span>
          <span className="min-w-0 @max-3xl:col-span-2 @max-3xl:row-start-2">
            <span className="mr-2">{entryWords(entry.action, entry.result)}</span>
            <code className="mr-2 font-mono text-12 text-muted" title={entry.target ? `Row ${entry.seq}, on ${entry.target}` : `Row ${entry.seq}`}>
              {entry.action}
            </code>
            {withProject && entry.projectName && <Tag>{entry.projectName}</Tag>}
            {entry.summary && <span className="block text-12 break-words text-muted">{entry.summary}</span>}
          </span>
          <Result result={entry.result} />
          <span className="pt-0.5 text-right text-12 text-muted @max-3xl:col-start-2 @max-3xl:row-start-1">
            <Ago at={entry.at} />
            {entry.source && <span className="block truncate font-mono @max-3xl:hidden">{entry.source}</span>}
          </span>
        </li>
      ))}
    </ul>
  )
}

const ACTOR_KINDS: Record<string, string> = { api_key: 'API key', command_line: 'command line', system: 'Linekeeper' }
function ActorKind({ kind }: { kind: string }) {
  const word = ACTOR_KINDS[kind]
  return word ? <span className="text-12 font-normal text-muted">{word}</span> : null
}

const RESULT_SHAPE = { ok: 'healthy', denied: 'degraded', failed: 'down' } as const
/** How it ended, by shape and word; what went well stays quiet. */
function Result({ result }: { result: AuditResult }) {
  return (
    <span className={cx('inline-flex items-center gap-1.5 self-start pt-0.5 text-12', result === 'ok' ? 'text-muted' : 'font-medium text-ink')}>
      <HealthShape health={RESULT_SHAPE[result] ?? 'unknown'} small />
      {RESULT_WORDS[result] ?? result}
    </span>
  )
}
