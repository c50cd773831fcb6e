import { useQuery } from '@tanstack/react-query'
import { eventQuery } from '@/api/queries/events'
import { problemQuery } from '@/api/queries/problems'
import type { Problem } from '@/api/types'
import { STATE_WORDS } from '@/api/words'
import { EventRow } from '@/features/shared/event-row'
import { Explanation } from '@/features/shared/explanation'
import { FeedbackMarks } from '@/features/shared/feedback'
import { ProblemActions } from '@/features/shared/problem-actions'
import { withEvent } from '@/features/shared/url-state'
import { ProviderIcon } from '@/provider/provider-icon'
import { LinkButton } from '@/ui/button'
import { formatCount } from '@/ui/format'
import { BackIcon } from '@/ui/icons'
import { Facts, Panel, Tag } from '@/ui/layout'
import { TextLink } from '@/ui/link'
import { Loaded, SkeletonRows } from '@/ui/states'
import { SeverityMark } from '@/ui/status'
import { Ago } from '@/ui/time'

/** One problem: what it is, why, what to do, and the events that are its evidence. */
export function ProblemDetail({ id }: { id: string }) {
  const query = useQuery(problemQuery(id))
  return (
    <div className="flex min-w-0 flex-col gap-4">
      <LinkButton to="/problems" search={(before: object) => before} variant="ghost" size="sm" className="self-start lg:hidden">
        <BackIcon /> All problems
      </LinkButton>
      <Loaded
        query={query}
        loading={
          <Panel>
            <SkeletonRows rows={9} label="Loading the problem" />
          </Panel>
        }
      >
        {(problem) => <Detail problem={problem} />}
      </Loaded>
    </div>
  )
}

function Detail({ problem }: { problem: Problem }) {
  return (
    <>
      <article className="rounded-lg border border-line bg-surface">
        <header className="flex flex-wrap items-start gap-3 border-b border-line p-4">
          <ProviderIcon provider={problem.provider} name={problem.integrationName} size="lg" />
          <div className="min-w-0 flex-1 basis-56">
            <h2 className="text-16 font-semibold text-balance">{problem.title}</h2>
            <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-12 text-muted">
              <TextLink to="/integrations/$id" params={{ id: problem.integrationId }}>
                {problem.integrationName}
              </TextLink>
              <SeverityMark severity={problem.classification.severity} />
              <Tag>{STATE_WORDS[problem.state]}</Tag>
            </p>
          </div>
          <ProblemActions problem={problem} />
        </header>
        <div className="grid gap-x-8 gap-y-5 p-4 xl:grid-cols-[minmax(0,1fr)_19rem]">
          <div className="flex flex-col gap-4">
            <Explanation headings="h3" classification={problem.classification} />
            {problem.lastEventId && (
              <FeedbackMarks
                key={problem.id}
                eventId={problem.lastEventId}
                category={problem.classification.category}
                votes={problem.helpful}
              />
            )}
          </div>
          <aside aria-label="Facts" className="border-line max-xl:border-t max-xl:pt-4 xl:border-l xl:pl-6">
            <ProblemFacts problem={problem} />
          </aside>
        </div>
      </article>
      {problem.lastEventId && <Evidence problem={problem} eventId={problem.lastEventId} />}
    </>
  )
}

function ProblemFacts({ problem }: { problem: Problem }) {
  return (
    <Facts
      items={[
        ['Seen', `${formatCount(problem.count)} ${problem.count === 1 ? 'time' : 'times'}`],
        ['First', <Ago key="first" at={problem.firstSeen} />],
        ['Last', <Ago key="last" at={problem.lastSeen} />],
        ['Owner', problem.owner?.name ?? <span key="owner" className="text-muted">Nobody yet</span>],
        ['Message', problem.message],
        ...(problem.code ? [['Code', <code key="code" className="font-mono text-12">{problem.code}</code>] as [string, React.ReactNode]] : []),
        ...(problem.operation ? [['Operation', <code key="operation" className="font-mono text-12">{problem.operation}</code>] as [string, React.ReactNode]] : []),
        ...(problem.httpStatus ? [['HTTP status', String(problem.httpStatus)] as [string, React.ReactNode]] : []),
      ]}
    />
  )
}

function Evidence({ problem, eventId }: { problem: Problem; eventId: string }) {
  const query = useQuery(eventQuery(eventId))
  return (
    <Panel
      id="evidence"
      title="Evidence"
      className="@container"
      aside={
        <TextLink {...withEvent(problem.lastEventId ?? undefined)} className="text-12">
          Latest payload
        </TextLink>
      }
    >
      <Loaded query={query} loading={<SkeletonRows rows={3} label="Loading events" />}>
        {(event) => (
          <ul aria-label="Events of this problem, newest first">
            {[event, ...event.similar.filter((similar) => similar.id !== event.id)].map((item) => (
              <EventRow key={item.id} event={item} ownIntegration />
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  )
}
