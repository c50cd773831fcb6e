import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { problemsQuery } from '@/api/queries/problems'
import type { Category, Problem, ProblemState, Severity } from '@/api/types'
import { CATEGORIES, CATEGORY_WORDS, SEVERITIES, SEVERITY_WORDS, STATES, STATE_WORDS } from '@/api/words'
import { useProblemKeys } from '@/features/shared/problem-actions'
import { ProblemLine } from '@/features/shared/problem-line'
import { usePageSearch, type PageSearch } from '@/features/shared/url-state'
import { ProviderIcon } from '@/provider/provider-icon'
import { cx } from '@/ui/cx'
import { plural } from '@/ui/format'
import { useHotkeys } from '@/ui/hotkeys'
import { Page, PageHead, Panel, Tag } from '@/ui/layout'
import { Segmented } from '@/ui/segmented'
import { Select } from '@/ui/select'
import { Empty, Loaded, SkeletonRows } from '@/ui/states'
import { SeverityMark } from '@/ui/status'
import { ProblemDetail } from './detail'

const ANY = 'any'
const CATEGORY_OPTIONS = [{ id: ANY, label: 'Any category' }, ...CATEGORIES.map((id) => ({ id, label: CATEGORY_WORDS[id] }))]
const SEVERITY_OPTIONS = [{ id: ANY, label: 'Any severity' }, ...SEVERITIES.map((id) => ({ id, label: SEVERITY_WORDS[id] }))]

/** The queue of problems; with one chosen, it stands beside the queue (or, on a phone, in its place). */
export function ProblemsPage({ selectedId }: { selectedId?: string }) {
  const [search, setSearch] = usePageSearch()
  const state = search.state ?? 'open'
  const query = useQuery(problemsQuery({ state, category: search.category, severity: search.severity }))
  const navigate = useNavigate()
  useProblemKeys(query.data, selectedId)
  useHotkeys({ ...(selectedId && { Escape: () => void navigate({ to: '/problems', search: (before) => before }) }) })
  return (
    <Page>
      <PageHead
        title="Problems"
        lead={query.data ? `${plural(query.data.length, 'problem')} ${STATE_WORDS[state].toLowerCase()}, worst first. Failures of one kind are one problem.` : 'Failures of one kind are one problem.'}
      />
      <div className={cx('grid items-start gap-4', selectedId && 'lg:grid-cols-[22rem_minmax(0,1fr)] 2xl:grid-cols-[28rem_minmax(0,1fr)]')}>
        <Panel className={cx('@container', selectedId && 'hidden lg:block lg:sticky lg:top-16')}>
          <ProblemFilters state={state} search={search} onChange={setSearch} />
          <Loaded query={query} loading={<SkeletonRows rows={8} label="Loading problems" />}>
            {(problems) => <ProblemRows problems={problems} state={state} selectedId={selectedId} />}
          </Loaded>
        </Panel>
        {selectedId && <ProblemDetail id={selectedId} />}
      </div>
    </Page>
  )
}

interface ProblemFiltersProps {
  state: ProblemState
  search: PageSearch
  onChange: (change: PageSearch) => void
}

function ProblemFilters({ state, search, onChange }: ProblemFiltersProps) {
  return (
    <div className="flex flex-wrap items-center gap-2 border-b border-line px-4 py-2">
      <Segmented
        label="State"
        value={state}
        options={STATES.map((id) => ({ id, label: STATE_WORDS[id] }))}
        onChange={(next) => onChange({ state: next === 'open' ? undefined : next })}
      />
      <Select
        look="filter"
        label="Category"
        options={CATEGORY_OPTIONS}
        value={search.category ?? ANY}
        onChange={(id) => onChange({ category: id === ANY ? undefined : (id as Category) })}
      />
      <Select
        look="filter"
        label="Severity"
        options={SEVERITY_OPTIONS}
        value={search.severity ?? ANY}
        onChange={(id) => onChange({ severity: id === ANY ? undefined : (id as Severity) })}
      />
    </div>
  )
}

const EMPTY: Record<ProblemState, [title: string, text: string]> = {
  open: ['No open problem', 'When something fails, it appears here once, explained, with what to do.'],
  acknowledged: ['No acknowledged problem', 'Acknowledge a problem to say that somebody works on it.'],
  resolved: ['No resolved problem', 'A resolved problem opens again by itself when it comes back.'],
  ignored: ['No ignored problem', 'Ignored problems are counted and kept out of the way.'],
}

interface ProblemRowsProps {
  problems: Problem[]
  state: ProblemState
  selectedId: string | undefined
}

function ProblemRows({ problems, state, selectedId }: ProblemRowsProps) {
  if (problems.length === 0) return <Empty title={EMPTY[state][0]}>{EMPTY[state][1]}</Empty>
  return (
    <ul aria-label={`${STATE_WORDS[state]} problems, worst first`} className="divide-y divide-line">
      {problems.map((problem) => (
        <li key={problem.id}>
          <Link
            to="/problems/$id"
            params={{ id: problem.id }}
            search={(before) => before}
            data-row={problem.id}
            aria-current={problem.id === selectedId ? 'true' : undefined}
            className="grid grid-cols-[auto_minmax(0,1fr)_auto] items-center gap-x-3 px-4 py-2 focus-inset hover:bg-n3 aria-[current]:bg-accent-wash @3xl:grid-cols-[auto_minmax(0,1fr)_9rem_5rem]"
          >
            <ProviderIcon provider={problem.provider} name={problem.integrationName} size="md" />
            <span className="min-w-0">
              <span className="block truncate text-13 font-medium">{problem.title}</span>
              <ProblemLine problem={problem} />
            </span>
            <span className="hidden @3xl:inline">
              <Tag>{CATEGORY_WORDS[problem.classification.category]}</Tag>
            </span>
            <span className="text-12 text-muted">
              <SeverityMark severity={problem.classification.severity} />
            </span>
          </Link>
        </li>
      ))}
    </ul>
  )
}
