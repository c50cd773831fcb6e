import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { eventsQuery } from '@/api/queries/events'
import { problemsQuery } from '@/api/queries/problems'
import type { IntegrationDetail, Problem } from '@/api/types'
import { EventRow } from '@/features/shared/event-row'
import { ProblemLine } from '@/features/shared/problem-line'
import { usePageSearch } from '@/features/shared/url-state'
import { Button, Toggle } from '@/ui/button'
import { SearchField } from '@/ui/field'
import { Panel } from '@/ui/layout'
import { TextLink } from '@/ui/link'
import { Empty, Loaded, SkeletonRows } from '@/ui/states'
import { SeverityMark } from '@/ui/status'

/** This integration's events; the whole log with every filter is a click away. */
export function EventsTab({ integration }: { integration: IntegrationDetail }) {
  const [search, setSearch] = usePageSearch()
  const query = useInfiniteQuery(eventsQuery({ integration: integration.id, status: search.status, q: search.q }))
  return (
    <Panel
      id="integration-events"
      title="Events"
      className="@container"
      aside={
        <>
          <Toggle isSelected={search.status === 'failure'} onChange={(on) => setSearch({ status: on ? 'failure' : undefined })}>
            Failures only
          </Toggle>
          <SearchField id="search" label="Search events" placeholder="Search" value={search.q ?? ''} onChange={(q) => setSearch({ q: q || undefined })} className="w-44" />
        </>
      }
    >
      <Loaded query={query} loading={<SkeletonRows rows={8} label="Loading events" />}>
        {({ pages }) => {
          const events = pages.flatMap((page) => page.items)
          if (events.length === 0) return <Empty title="No events here">They appear the moment they arrive.</Empty>
          return (
            <ul aria-label="Events, newest first">
              {events.map((event) => (
                <EventRow key={event.id} event={event} ownIntegration selected={event.id === search.event} />
              ))}
            </ul>
          )
        }}
      </Loaded>
      {query.hasNextPage && (
        <p className="border-t border-line p-2 text-center">
          <Button size="sm" variant="ghost" isDisabled={query.isFetchingNextPage} onPress={() => void query.fetchNextPage()}>
            Load older events
          </Button>
        </p>
      )}
    </Panel>
  )
}

export function ProblemsTab({ integration }: { integration: IntegrationDetail }) {
  const query = useQuery(problemsQuery({ integration: integration.id }))
  return (
    <Panel id="integration-problems" title="Problems, all states">
      <Loaded query={query} loading={<SkeletonRows rows={4} label="Loading problems" />}>
        {(problems) => <ProblemLinks problems={problems} />}
      </Loaded>
    </Panel>
  )
}

export function ProblemLinks({ problems }: { problems: Problem[] }) {
  if (problems.length === 0) return <p className="p-4 text-13 text-muted">None.</p>
  return (
    <ul className="divide-y divide-line">
      {problems.map((problem) => (
        <li key={problem.id}>
          <Link
            to="/problems/$id"
            params={{ id: problem.id }}
            data-row
            className="flex items-center gap-3 px-4 py-2 focus-inset hover:bg-n3"
          >
            <span className="min-w-0 flex-1">
              <span className="block truncate text-13 font-medium">{problem.title}</span>
              <ProblemLine problem={problem} />
            </span>
            <span className="text-12 text-muted">
              <SeverityMark severity={problem.classification.severity} />
            </span>
          </Link>
        </li>
      ))}
      <li className="px-4 py-2 text-12">
        <TextLink to="/problems">All problems</TextLink>
      </li>
    </ul>
  )
}
