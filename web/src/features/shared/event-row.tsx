import { Link } from '@tanstack/react-router'
import type { EventSummary } from '@/api/types'
import { CATEGORY_WORDS } from '@/api/words'
import { ProviderIcon } from '@/provider/provider-icon'
import { cx } from '@/ui/cx'
import { Tag } from '@/ui/layout'
import { OutcomeShape } from '@/ui/status'
import { ClockTime } from '@/ui/time'
import { withEvent } from './url-state'

interface EventRowProps {
  event: EventSummary
  /** It arrived while the list was on screen. */
  fresh?: boolean
  /** On an integration's own page its name would be noise. */
  ownIntegration?: boolean
  selected?: boolean
}

/** Below the others while the container is narrow, in line with them from there on. */
const SECOND_LINE = 'order-4 col-span-3 pl-[1.125rem] @2xl:order-none @2xl:col-span-1 @2xl:pl-0'

/**
 * One line of a log, two where the container is narrow; opens the event's drawer. Where there is no room for
 * both, a failure shows what went wrong and a success what it was.
 */
export function EventRow({ event, fresh, ownIntegration, selected }: EventRowProps) {
  const failed = event.status === 'failure'
  return (
    <li className={cx('border-b border-line last:border-b-0', fresh && 'arrive')}>
      <Link
        {...withEvent(event.id)}
        data-row
        aria-current={selected ? 'true' : undefined}
        className={cx(
          'grid min-h-row w-full grid-cols-[auto_minmax(0,1fr)_auto] items-center gap-x-2 px-4 py-1.5 text-13 focus-inset hover:bg-n3 aria-[current]:bg-accent-wash @2xl:gap-x-3 @2xl:py-0',
          ownIntegration
            ? '@2xl:grid-cols-[4rem_auto_minmax(0,1fr)_auto] @4xl:grid-cols-[4rem_auto_15rem_minmax(0,1fr)_auto]'
            : '@2xl:grid-cols-[4rem_auto_9.5rem_minmax(0,1fr)_auto] @4xl:grid-cols-[4rem_auto_10rem_15rem_minmax(0,1fr)_auto]',
        )}
      >
        <span className="order-3 text-12 text-muted @2xl:order-none">
          <ClockTime at={event.receivedAt} />
        </span>
        <OutcomeShape status={event.status} />
        {!ownIntegration && (
          <span className="flex min-w-0 items-center gap-2">
            <ProviderIcon provider={event.integration} name={event.integrationName} />
            <span className="truncate font-medium">{event.integrationName}</span>
          </span>
        )}
        <span
          title={event.eventType}
          className={cx('truncate font-mono text-12 text-muted', failed ? cx('@2xl:hidden @4xl:inline', !ownIntegration && 'hidden') : !ownIntegration && SECOND_LINE)}
        >
          {event.eventType}
        </span>
        <span title={event.message} className={cx('truncate', failed ? SECOND_LINE : 'hidden text-muted @4xl:inline')}>
          {event.message !== event.eventType && event.message}
        </span>
        <span className="hidden justify-self-end @2xl:inline">
          {event.category && <Tag>{CATEGORY_WORDS[event.category]}</Tag>}
        </span>
      </Link>
    </li>
  )
}
