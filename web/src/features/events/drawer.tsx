import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { eventQuery } from '@/api/queries/events'
import type { EventDetail } from '@/api/types'
import { CATEGORY_WORDS } from '@/api/words'
import { EventRow } from '@/features/shared/event-row'
import { Explanation } from '@/features/shared/explanation'
import { FeedbackMarks } from '@/features/shared/feedback'
import { withEvent } from '@/features/shared/url-state'
import { ProviderIcon } from '@/provider/provider-icon'
import { IconButton } from '@/ui/button'
import { CopyButton } from '@/ui/copy'
import { Drawer } from '@/ui/dialog'
import { formatExact, plural } from '@/ui/format'
import { CloseIcon } from '@/ui/icons'
import { Facts, Tag } from '@/ui/layout'
import { TextLink } from '@/ui/link'
import { Loaded, SkeletonRows } from '@/ui/states'
import { OutcomeShape, SeverityMark } from '@/ui/status'
import { Ago } from '@/ui/time'
import { Headers, PayloadView } from './payload'

/** One event, whole: opens over any page from `?event=`, so that it can be linked to. */
export function EventDrawer({ id }: { id: string }) {
  const query = useQuery(eventQuery(id))
  const navigate = useNavigate()
  const close = () => void navigate(withEvent(undefined))
  return (
    <Drawer label="Event" onClose={close}>
      <header className="flex items-center gap-3 border-b border-line py-2 pr-2 pl-4">
        {query.data ? <DrawerTitle event={query.data} /> : <h2 className="flex-1 text-14 font-semibold">Event</h2>}
        <IconButton label="Close" onPress={close}>
          <CloseIcon />
        </IconButton>
      </header>
      <div className="flex min-h-0 flex-1 flex-col overflow-y-auto scroll-thin">
        <Loaded query={query} loading={<SkeletonRows rows={10} label="Loading the event" />}>
          {(event) => <EventBody event={event} />}
        </Loaded>
      </div>
    </Drawer>
  )
}

function DrawerTitle({ event }: { event: EventDetail }) {
  return (
    <div className="flex min-w-0 flex-1 items-center gap-3">
      <ProviderIcon provider={event.integration} name={event.integrationName} size="md" />
      <div className="min-w-0">
        <h2 className="flex items-center gap-2 text-14 font-semibold">
          <OutcomeShape status={event.status} />
          <span className="truncate font-mono text-13">{event.eventType}</span>
        </h2>
        <p className="truncate text-12 text-muted">
          <TextLink to="/integrations/$id" params={{ id: event.integrationId }}>
            {event.integrationName}
          </TextLink>
          {' · '}
          <Ago at={event.receivedAt} />
        </p>
      </div>
    </div>
  )
}

function EventBody({ event }: { event: EventDetail }) {
  return (
    <div className="flex flex-col divide-y divide-line [&>section]:p-4">
      <section aria-label="What happened" className="flex flex-col gap-3">
        <p className="text-16 font-medium text-pretty">{event.message}</p>
        <EventFacts event={event} />
        {event.quarantined && (
          <p className="rounded-md bg-warn-wash p-3 text-13 text-warn">
            This delivery could not be read as the provider documents it. It is kept as it came and counts for nothing.
          </p>
        )}
      </section>
      {event.classification && (
        <section aria-label="Explanation" className="flex flex-col gap-3">
          <div className="flex flex-wrap items-baseline gap-x-3">
            <h3 className="text-14 font-semibold">{event.classification.title}</h3>
            <span className="text-12 text-muted">
              <SeverityMark severity={event.classification.severity} />
            </span>
            {event.problem && (
              <TextLink to="/problems/$id" params={{ id: event.problem.id }} className="text-12">
                Problem seen {plural(event.problem.count, 'time')}
              </TextLink>
            )}
          </div>
          <Explanation classification={event.classification} />
          <FeedbackMarks eventId={event.id} category={event.classification.category} />
        </section>
      )}
      <PayloadView event={event} />
      <Headers headers={event.headers} />
      {event.similar.length > 0 && (
        <section aria-label="Similar events" className="p-0!">
          <h3 className="px-4 pt-4 pb-2 text-13 font-semibold">Similar events</h3>
          <ul className="@container border-t border-line">
            {event.similar.map((similar) => (
              <EventRow key={similar.id} event={similar} ownIntegration />
            ))}
          </ul>
        </section>
      )}
    </div>
  )
}

function EventFacts({ event }: { event: EventDetail }) {
  const context = event.error?.context
  return (
    <Facts
      items={[
        ...(event.category ? [['Category', <Tag key="category">{CATEGORY_WORDS[event.category]}</Tag>] as [string, React.ReactNode]] : []),
        ...(event.code ? [['Provider code', <code key="code" className="font-mono text-12">{event.code}</code>] as [string, React.ReactNode]] : []),
        ...(context?.operation ? [['Operation', <code key="operation" className="font-mono text-12">{context.operation}</code>] as [string, React.ReactNode]] : []),
        ...(context?.httpStatus ? [['HTTP status', String(context.httpStatus)] as [string, React.ReactNode]] : []),
        ['Happened', formatExact(event.timestamp)],
        ['Received', formatExact(event.receivedAt)],
        [
          'Event id',
          <span key="id" className="flex min-w-0 items-center gap-1">
            <code className="truncate font-mono text-12">{event.id}</code>
            <CopyButton text={event.id} label="Copy the event id" />
          </span>,
        ],
      ]}
    />
  )
}
