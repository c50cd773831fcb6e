import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { resetQuery, useResetPassword } from '@/api/queries/links'
import { NewPassword } from '@/features/shared/new-password'
import { Button, LinkButton } from '@/ui/button'
import { FormError, SkeletonRows } from '@/ui/states'
import { BadLink } from './bad-link'
import { Frame } from './frame'
import { forgetLink, useLinkToken } from './link-token'

/** Behind a reset link: a new password, and every session begins anew. */
export function ResetPage({ address }: { address: string | undefined }) {
  const token = useLinkToken('reset', address)
  const look = useQuery({ ...resetQuery(token ?? ''), enabled: token !== null })
  const reset = useResetPassword()
  const [password, setPassword] = useState('')
  if (reset.isSuccess) {
    return (
      <Frame title="Your password is set" lead="You were signed out everywhere. Sign in with the new password.">
        <LinkButton to="/sign-in" variant="primary">
          Sign in
        </LinkButton>
      </Frame>
    )
  }
  if (!token || look.error) {
    return (
      <BadLink title="New password" error={look.error} onRetry={() => void look.refetch()}>
        Ask an operator of this installation for a new link. If you know your password, sign in.
      </BadLink>
    )
  }
  if (!look.data) {
    return (
      <Frame title="New password">
        <SkeletonRows rows={2} label="Loading the link" />
      </Frame>
    )
  }
  return (
    <Frame title="Set a new password" lead={`For ${look.data.email}. You are signed out everywhere when it is set.`}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          reset.mutate({ token, password }, { onSuccess: () => forgetLink('reset') })
        }}
      >
        {/* Password managers save the new password under this name. */}
        <input type="hidden" name="username" autoComplete="username" value={look.data.email} readOnly />
        <NewPassword label="New password" value={password} onChange={setPassword} autoFocus />
        <FormError error={reset.error} />
        <Button type="submit" variant="primary" isDisabled={reset.isPending}>
          {reset.isPending ? 'Setting' : 'Set password'}
        </Button>
      </form>
    </Frame>
  )
}
