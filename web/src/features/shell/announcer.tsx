import { LinkButton, IconButton } from '@/ui/button'
import { CloseIcon } from '@/ui/icons'
import { TextLink } from '@/ui/link'
import { HealthShape } from '@/ui/status'
import { useLive } from './live'
import { NotifyOffer } from './notify-offer'

/** "X is down", for the eye and for screen readers, until it recovers or is dismissed. */
export function Announcer() {
  const { down, dismiss } = useLive()
  return (
    <div aria-live="assertive" data-print="hide">
      {down.map((notice) => (
        <div key={notice.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-bad-line bg-bad-wash py-1.5 pr-2 pl-4 text-13 md:px-6">
          <HealthShape health="down" />
          <p className="min-w-0 flex-1 basis-52">
            <strong className="font-semibold">
              <TextLink to="/integrations/$id" params={{ id: notice.id }} className="text-ink!">
                {notice.name}
              </TextLink>{' '}
              is down.
            </strong>{' '}
            {notice.reason}
          </p>
          <LinkButton to="/integrations/$id" params={{ id: notice.id }} size="sm">
            Look at it
          </LinkButton>
          <IconButton label={`Dismiss: ${notice.name} is down`} size="sm" onPress={() => dismiss(notice.id)}>
            <CloseIcon className="size-3" />
          </IconButton>
        </div>
      ))}
      {down.length > 0 && <NotifyOffer />}
    </div>
  )
}
