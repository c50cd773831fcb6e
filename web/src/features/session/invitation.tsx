import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { hasCode } from '@/api/error'
import { invitationQuery, useAccept, useJoin } from '@/api/queries/links'
import { sessionQuery, useStepAside } from '@/api/queries/session'
import type { InvitationPreview } from '@/api/types'
import { ROLE_MEANS, ROLE_WORDS } from '@/api/words'
import { Button, LinkButton } from '@/ui/button'
import { FormError, SkeletonRows } from '@/ui/states'
import { Ago } from '@/ui/time'
import { AccountForm } from './account-form'
import { BadLink } from './bad-link'
import { Frame } from './frame'
import { forgetLink, useLinkToken } from './link-token'

/** Behind an invitation: what is offered and by whom, then joining as oneself or with a new account. */
export function InvitationPage({ address }: { address: string | undefined }) {
  const token = useLinkToken('invitation', address)
  const invitation = useQuery({ ...invitationQuery(token ?? ''), enabled: token !== null })
  const session = useQuery(sessionQuery)
  if (!token || invitation.error) {
    return (
      <BadLink title="Invitation" error={invitation.error} onRetry={() => void invitation.refetch()}>
        Ask an admin of the project for a new invitation. If you have joined already, sign in.
      </BadLink>
    )
  }
  if (!invitation.data || session.isPending) {
    return (
      <Frame title="Invitation">
        <SkeletonRows rows={3} label="Loading the invitation" />
      </Frame>
    )
  }
  const user = session.data?.user
  return (
    <Frame title={`Join ${invitation.data.projectName}`}>
      <Offer invitation={invitation.data} />
      {user ? <JoinAs token={token} name={user.name} email={user.email} /> : <JoinAnew token={token} email={invitation.data.email ?? ''} />}
    </Frame>
  )
}

function Offer({ invitation }: { invitation: InvitationPreview }) {
  return (
    <p className="mb-4 text-13 text-pretty text-muted">
      {invitation.invitedBy} invites you as <strong className="font-medium text-ink">{ROLE_WORDS[invitation.role]}</strong>, who {ROLE_MEANS[invitation.role]}. The link ends{' '}
      <Ago at={invitation.expiresAt} />.
    </p>
  )
}

/** Where the person goes once they belong. */
function useArrival() {
  const navigate = useNavigate()
  return () => {
    forgetLink('invitation')
    void navigate({ to: '/' })
  }
}

function JoinAs({ token, name, email }: { token: string; name: string; email: string }) {
  const accept = useAccept()
  const stepAside = useStepAside()
  const arrive = useArrival()
  return (
    <div className="flex flex-col gap-3">
      <p className="text-13 break-words">
        You are signed in as {name} ({email}).
      </p>
      <FormError error={accept.error ?? stepAside.error} />
      <Button variant="primary" isDisabled={accept.isPending} onPress={() => accept.mutate(token, { onSuccess: arrive })}>
        Join as {name}
      </Button>
      <Button variant="ghost" isDisabled={stepAside.isPending} onPress={() => stepAside.mutate()}>
        Sign out and use another account
      </Button>
    </div>
  )
}

function JoinAnew({ token, email }: { token: string; email: string }) {
  const join = useJoin()
  const arrive = useArrival()
  const known = hasCode(join.error, 'conflict')
  // The token stays in this tab: coming back needs the plain address only.
  const signIn = (
    <LinkButton to="/sign-in" search={{ next: '/invitation' }} variant={known ? 'primary' : 'secondary'}>
      I have an account: sign in
    </LinkButton>
  )
  return (
    <AccountForm
      action="Create account and join"
      email={email}
      pending={join.isPending}
      error={join.error}
      onSubmit={(account) => join.mutate({ token, ...account }, { onSuccess: arrive })}
    >
      {signIn}
    </AccountForm>
  )
}
