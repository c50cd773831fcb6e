import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { EventFilters } from '@/api/filters'
import { eventsQuery } from '@/api/queries/events'
import type { EventItem } from '@/api/types'
import { EventRow } from '@/features/shared/event-row'
import { usePageSearch } from '@/features/shared/url-state'
import { Button } from '@/ui/button'
import { cx } from '@/ui/cx'
import { formatCount } from '@/ui/format'
import { PauseIcon, PlayIcon } from '@/ui/icons'
import { Panel } from '@/ui/layout'
import { Empty, Loaded, SkeletonRows } from '@/ui/states'
import { FilterBar } from './filter-bar'

interface EventStreamProps {
  title: string
  filters: EventFilters
  onFilters: (change: EventFilters) => void
  ownIntegration?: boolean
  /** Scroll inside the panel, so that the page beside it stays where it is. */
  bounded?: boolean
}

/** The live log: newest first, filtered by the address; while paused it counts what waits. */
export function EventStream({ title, filters, onFilters, ownIntegration = false, bounded = false }: EventStreamProps) {
  const query = useInfiniteQuery(eventsQuery(filters))
  const [{ event: selected }] = usePageSearch()
  const [held, setHeld] = useState<EventItem[] | null>(null)
  const [heldFilters, setHeldFilters] = useState(filters)
  // Held rows belong to the filters they were held under.
  if (JSON.stringify(heldFilters) !== JSON.stringify(filters)) {
    setHeldFilters(filters)
    setHeld(null)
  }
  const live = query.data?.pages.flatMap((page) => page.items)
  const newestHeld = held?.[0]?.seq ?? 0
  const waiting = held && live ? live.filter((event) => event.seq > newestHeld).length : 0
  return (
    <Panel
      id="events"
      title={title}
      className="@container flex flex-col"
      aside={<PauseButton paused={held !== null} waiting={waiting} onToggle={() => setHeld(held ? null : (live ?? []))} />}
    >
      <div className="border-b border-line px-4 py-2" data-print="hide">
        <FilterBar
          filters={ownIntegration ? { ...filters, integration: undefined } : filters}
          onChange={onFilters}
          ownIntegration={ownIntegration}
        />
      </div>
      <Loaded query={query} loading={<SkeletonRows rows={8} label="Loading events" />}>
        {() => (
          <Rows
            key={JSON.stringify(filters)}
            events={held ?? live ?? []}
            selected={selected}
            ownIntegration={ownIntegration}
            bounded={bounded}
            onClear={() => onFilters({ status: undefined, provider: undefined, category: undefined, severity: undefined, q: undefined })}
            filtered={Object.entries(filters).some(([key, value]) => key !== 'integration' && value !== undefined)}
          />
        )}
      </Loaded>
      {query.hasNextPage && held === null && (
        <div className="border-t border-line p-2 text-center" data-print="hide">
          <Button size="sm" variant="ghost" isDisabled={query.isFetchingNextPage} onPress={() => void query.fetchNextPage()}>
            {query.isFetchingNextPage ? 'Loading older events' : 'Load older events'}
          </Button>
        </div>
      )}
    </Panel>
  )
}

function PauseButton({ paused, waiting, onToggle }: { paused: boolean; waiting: number; onToggle: () => void }) {
  return (
    <Button size="sm" onPress={onToggle}>
      {paused ? <PlayIcon className="size-3" /> : <PauseIcon className="size-3" />}
      {!paused ? 'Pause' : waiting === 0 ? 'Resume' : `Resume (${formatCount(waiting)} waiting)`}
    </Button>
  )
}

interface RowsProps {
  events: EventItem[]
  selected: string | undefined
  ownIntegration: boolean
  bounded: boolean
  filtered: boolean
  onClear: () => void
}

function Rows({ events, selected, ownIntegration, bounded, filtered, onClear }: RowsProps) {
  // What was there when the list appeared does not "arrive".
  const [knownSeq] = useState(() => events[0]?.seq ?? 0)
  if (events.length === 0) {
    return filtered ? (
      <Empty title="No event matches" actions={<Button onPress={onClear}>Clear the filters</Button>}>
        New events that match appear here as they arrive.
      </Empty>
    ) : (
      <Empty title="No events yet">They appear here the moment they arrive; no reload is needed.</Empty>
    )
  }
  return (
    <ul
      aria-label="Events, newest first"
      // Scrollable regions must be reachable by keyboard: the rows inside are links, so they are.
      className={cx('min-h-0 flex-1', bounded && 'lg:max-h-[34rem] lg:overflow-y-auto scroll-thin')}
    >
      {events.map((event) => (
        <EventRow
          key={event.id}
          event={event}
          fresh={event.seq > knownSeq}
          ownIntegration={ownIntegration}
          selected={event.id === selected}
        />
      ))}
    </ul>
  )
}
