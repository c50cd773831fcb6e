import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useUnlinkIdentities } from '@/api/queries/profile'
import { setupQuery } from '@/api/queries/session'
import type { Profile } from '@/api/types'
import { identityProviderStart } from '@/features/shared/identity-provider'
import { Button, buttonClass } from '@/ui/button'
import { Confirm } from '@/ui/dialog'
import { Panel } from '@/ui/layout'
import { Empty } from '@/ui/states'
import { Ago } from '@/ui/time'

/** The accounts elsewhere that sign this person in. */
export function IdentitiesPanel({ profile }: { profile: Profile }) {
  const { data: setup } = useQuery(setupQuery)
  const provider = setup?.identityProvider
  if (!provider && profile.identities.length === 0) return null
  const link = provider && (
    <a href={identityProviderStart('link', '/profile?tab=account')} className={buttonClass('secondary', 'sm')}>
      Link {provider.name}
    </a>
  )
  return (
    <Panel id="identities" title="Linked accounts" {...(profile.identities.length > 0 && { aside: link })}>
      {profile.identities.length === 0 ? (
        <Empty title="No linked account" actions={link}>
          Link yours at {provider?.name} to sign in without the password here.
        </Empty>
      ) : (
        <ul className="divide-y divide-line">
          {profile.identities.map((identity) => (
            <li key={`${identity.issuer} ${identity.createdAt}`} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 text-13">
              <span className="min-w-0 flex-1 basis-48">
                <span className="block truncate font-medium">{identity.email ?? 'address not given'}</span>
                <span className="block truncate text-12 text-muted">{identity.issuer}</span>
              </span>
              <span className="text-12 text-muted">
                linked <Ago at={identity.createdAt} />
              </span>
            </li>
          ))}
        </ul>
      )}
      {profile.identities.length > 0 && <Unlink />}
    </Panel>
  )
}

/** Takes the way in by the identity provider away; the password stays. */
function Unlink() {
  const unlink = useUnlinkIdentities()
  const [asking, setAsking] = useState(false)
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 border-t border-line px-4 py-2.5">
      <p className="min-w-0 flex-1 basis-56 text-12 text-muted">Is one of these not yours? Unlink them, then change your password.</p>
      <Button size="sm" onPress={() => setAsking(true)}>
        Unlink
      </Button>
      <Confirm
        title="Unlink from the identity provider?"
        action="Unlink"
        isOpen={asking}
        isPending={unlink.isPending}
        error={unlink.error}
        onClose={() => setAsking(false)}
        onConfirm={() => unlink.mutate(undefined, { onSuccess: () => setAsking(false) })}
      >
        Signing in there no longer leads to this account; your password does. You can link it again at any time.
      </Confirm>
    </div>
  )
}
