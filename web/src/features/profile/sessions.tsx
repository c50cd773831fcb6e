import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { profileSessionsQuery, useEndSession } from '@/api/queries/profile'
import type { ProfileSession } from '@/api/types'
import { Button } from '@/ui/button'
import { Confirm } from '@/ui/dialog'
import { plural } from '@/ui/format'
import { Panel, Tag } from '@/ui/layout'
import { Empty, FormError, Loaded, SkeletonRows } from '@/ui/states'
import { Ago } from '@/ui/time'
import { toast } from '@/ui/toast'
import { browserWords } from './browser'

/** Where this person is signed in. */
export function SessionsPanel() {
  const query = useQuery(profileSessionsQuery)
  const others = query.data?.filter((session) => !session.current).length ?? 0
  return (
    <Panel id="sessions" title="Sessions" {...(others > 0 && { aside: <EndOthers count={others} /> })}>
      <Loaded query={query} loading={<SkeletonRows rows={3} label="Loading your sessions" />}>
        {(sessions) =>
          sessions.length === 0 ? (
            <Empty title="No sessions">Sign in again to see this one here.</Empty>
          ) : (
            <>
              <ul className="divide-y divide-line">
                {sessions.map((session) => (
                  <SessionRow key={session.id} session={session} />
                ))}
              </ul>
              <p className="border-t border-line px-4 py-2 text-12 text-muted">If you do not know one of them, end it and change your password.</p>
            </>
          )
        }
      </Loaded>
    </Panel>
  )
}

const METHOD_WORDS: Record<ProfileSession['method'], string> = {
  password: 'with the password',
  identity_provider: 'through the identity provider',
  link: 'by a one-time link',
}

function SessionRow({ session }: { session: ProfileSession }) {
  const end = useEndSession()
  const name = browserWords(session.userAgent)
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 text-13">
      <span className="min-w-0 flex-1 basis-56">
        <span className="block truncate font-medium" title={session.userAgent ?? undefined}>
          {name}
        </span>
        <span className="block text-12 text-muted">
          {session.source && (
            <>
              <span className="font-mono">{session.source}</span>,{' '}
            </>
          )}
          seen <Ago at={session.lastSeenAt} />, signed in <Ago at={session.createdAt} /> {METHOD_WORDS[session.method]}, ends <Ago at={session.expiresAt} />
        </span>
      </span>
      {session.current ? (
        <Tag>This session</Tag>
      ) : (
        <Button
          size="sm"
          variant="ghost"
          aria-label={`End the session ${name}`}
          isDisabled={end.isPending}
          onPress={() => end.mutate(session.id, { onSuccess: () => toast('That session has ended.') })}
        >
          End
        </Button>
      )}
      <FormError error={end.error} />
    </li>
  )
}

function EndOthers({ count }: { count: number }) {
  const end = useEndSession()
  const [asking, setAsking] = useState(false)
  return (
    <>
      <Button size="sm" onPress={() => setAsking(true)}>
        Sign out everywhere else
      </Button>
      <Confirm
        title="Sign out everywhere else?"
        action="Sign out"
        isOpen={asking}
        isPending={end.isPending}
        error={end.error}
        onClose={() => setAsking(false)}
        onConfirm={() =>
          end.mutate(null, {
            onSuccess: () => {
              setAsking(false)
              toast('You are signed in here only.')
            },
          })
        }
      >
        {plural(count, 'other session')} {count === 1 ? 'ends' : 'end'} at once. You stay signed in here, and your API keys keep working.
      </Confirm>
    </>
  )
}
