import { useState } from 'react'
import { useChangePassword } from '@/api/queries/profile'
import type { Profile } from '@/api/types'
import { NewPassword } from '@/features/shared/new-password'
import { Button } from '@/ui/button'
import { TextField } from '@/ui/field'
import { Panel } from '@/ui/layout'
import { FormError } from '@/ui/states'
import { toast } from '@/ui/toast'

/** A new password ends every other session. */
export function PasswordPanel({ profile }: { profile: Profile }) {
  const change = useChangePassword()
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  const { hasPassword, user } = profile
  return (
    <Panel id="password" title="Password">
      <form
        className="flex flex-col gap-4 p-4"
        onSubmit={(event) => {
          event.preventDefault()
          change.mutate(
            { ...(hasPassword && { current }), password },
            {
              onSuccess: () => {
                setCurrent('')
                setPassword('')
                toast('The new password is set. You are signed out everywhere else.')
              },
            },
          )
        }}
      >
        {!hasPassword && <p className="text-13 text-muted">You sign in through a linked account. A password is a second way in.</p>}
        <input type="hidden" name="username" autoComplete="username" value={user.email} readOnly />
        {hasPassword && (
          <TextField label="Current password" type="password" name="password" autoComplete="current-password" value={current} onChange={setCurrent} isRequired />
        )}
        <NewPassword label="New password" value={password} onChange={setPassword} />
        <FormError error={change.error} />
        <div className="flex flex-wrap items-center justify-end gap-3">
          <p className="text-12 text-muted">You stay signed in here and are signed out everywhere else.</p>
          <Button type="submit" variant="primary" isDisabled={change.isPending}>
            {hasPassword ? 'Change password' : 'Set password'}
          </Button>
        </div>
      </form>
    </Panel>
  )
}
