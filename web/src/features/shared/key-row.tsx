import { useState } from 'react'
import type { ApiKey } from '@/api/types'
import { ROLE_WORDS, SCOPE_WORDS } from '@/api/words'
import { Button } from '@/ui/button'
import { Confirm } from '@/ui/dialog'
import { Tag } from '@/ui/layout'
import { Ago, useTimeText } from '@/ui/time'
import { toast } from '@/ui/toast'

const SOON_MS = 7 * 86_400_000

interface KeyRowProps {
  apiKey: ApiKey
  /** Says which project it belongs to, where keys of several are listed. */
  withProject?: boolean
  revoke: { mutate: (id: string, options: { onSuccess: () => void }) => void; isPending: boolean; error: Error | null }
}

/** One API key: what it may do, until when, and whether anything uses it. */
export function KeyRow({ apiKey, withProject, revoke }: KeyRowProps) {
  const [asking, setAsking] = useState(false)
  const over = useTimeText((now) => (apiKey.expiresAt && Date.parse(apiKey.expiresAt) <= now ? 'Expired' : '')) !== ''
  const state = apiKey.revokedAt ? 'Revoked' : over ? 'Expired' : null
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 text-13">
      <span className="min-w-0 flex-1 basis-48">
        <span className="block truncate font-medium">{apiKey.name}</span>
        <span className="block text-12 text-muted">
          <code className="font-mono">••••{apiKey.last4}</code>
          {withProject && <>, {apiKey.projectName}</>}, made <Ago at={apiKey.createdAt} />
          {apiKey.createdBy && !withProject && <> by {apiKey.createdBy}</>},{' '}
          {apiKey.lastUsedAt ? (
            <>
              used <Ago at={apiKey.lastUsedAt} />
            </>
          ) : (
            'never used'
          )}
        </span>
        <span className="mt-1 flex flex-wrap gap-1">
          <Tag>{ROLE_WORDS[apiKey.role]}</Tag>
          {apiKey.scopes.map((scope) => (
            <Tag key={scope}>{SCOPE_WORDS[scope]}</Tag>
          ))}
        </span>
      </span>
      <span className="ml-auto flex items-center gap-3">
        {state === null ? <Expiry at={apiKey.expiresAt} /> : <Tag>{state}</Tag>}
        {!apiKey.revokedAt && (
          <Button size="sm" variant="ghost" aria-label={`Revoke ${apiKey.name}`} onPress={() => setAsking(true)}>
            Revoke
          </Button>
        )}
      </span>
      <Confirm
        title={`Revoke ${apiKey.name}?`}
        action="Revoke"
        isOpen={asking}
        isPending={revoke.isPending}
        error={revoke.error}
        onClose={() => setAsking(false)}
        onConfirm={() =>
          revoke.mutate(apiKey.id, {
            onSuccess: () => {
              setAsking(false)
              toast(`${apiKey.name} is revoked.`)
            },
          })
        }
      >
        Programs that use it are refused from this moment. This cannot be undone.
      </Confirm>
    </li>
  )
}

/** "expires in 40 d"; in its last week "expires soon", which is a warning. */
function Expiry({ at }: { at: string | null }) {
  const soon = useTimeText((now) => (at && Date.parse(at) - now < SOON_MS ? 'Expires soon: ' : 'expires '))
  if (!at) return <span className="text-12 text-muted">does not expire</span>
  const warns = soon.startsWith('E')
  return (
    <span className={warns ? 'text-12 font-medium text-warn' : 'text-12 text-muted'}>
      {soon}
      <Ago at={at} />
    </span>
  )
}
