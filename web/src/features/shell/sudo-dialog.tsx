import { useQuery } from '@tanstack/react-query'
import { useLocation } from '@tanstack/react-router'
import { useEffect, useState, type FormEvent } from 'react'
import { hasCode } from '@/api/error'
import { setupQuery, useProveSudo, useSession } from '@/api/queries/session'
import type { SudoMethods } from '@/api/types'
import { CodeField } from '@/features/shared/code-field'
import { identityProviderStart } from '@/features/shared/identity-provider'
import { Button, buttonClass } from '@/ui/button'
import { Dialog, DialogActions } from '@/ui/dialog'
import { TextField } from '@/ui/field'
import { FormError } from '@/ui/states'

interface SudoDialogProps {
  methods: SudoMethods
  onDone: () => void
  onCancel: () => void
}

/** Asks for the password, the code or the identity provider again, before what reaches beyond one project or changes who may do what. */
export function SudoDialog({ methods, onDone, onCancel }: SudoDialogProps) {
  const prove = useProveSudo()
  const { user } = useSession()
  useEndByLeaving(onCancel)
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const asksCode = methods.code || hasCode(prove.error, 'code_required') || hasCode(prove.error, 'bad_code')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    prove.mutate({ password, ...(asksCode && { code: code.trim() }) }, { onSuccess: onDone })
  }
  return (
    <Dialog title="Confirm it is you" isOpen onClose={onCancel}>
      <div className="flex flex-col gap-4">
        <p className="text-13 text-pretty text-muted">
          What you asked for reaches beyond one project or changes who may do what, and you have not confirmed that you are {user?.name ?? 'yourself'} for a while. It is not asked again for 15 minutes.
        </p>
        {methods.password && (
          <form onSubmit={submit} className="flex flex-col gap-4">
            <input type="hidden" name="username" autoComplete="username" value={user?.email ?? ''} readOnly />
            <TextField label="Password" type="password" name="password" autoComplete="current-password" value={password} onChange={setPassword} isRequired autoFocus />
            {asksCode && <CodeField value={code} onChange={setCode} recovery />}
            <FormError error={refusalOf(prove.error)} />
            <DialogActions>
              <Button onPress={onCancel}>Cancel</Button>
              <Button type="submit" variant="primary" isDisabled={prove.isPending}>
                {prove.isPending ? 'Confirming' : 'Confirm'}
              </Button>
            </DialogActions>
          </form>
        )}
        {methods.identityProvider && <ByIdentityProvider other={methods.password} />}
        {!methods.password && !methods.identityProvider && (
          <p className="text-13">You have no password to confirm with. Ask an operator of this installation for a link that sets one.</p>
        )}
      </div>
    </Dialog>
  )
}

/** Only the password is asked for here, so only that can be wrong. That a code is wanted is a question, not a failure. */
function refusalOf(error: Error | null): Error | null {
  if (hasCode(error, 'code_required')) return null
  return hasCode(error, 'bad_credentials') ? new Error('That is not your password. Try again.') : error
}

/** Going back to another page while the question stands is an answer too. */
function useEndByLeaving(onCancel: () => void) {
  const { pathname } = useLocation()
  const [askedAt] = useState(pathname)
  useEffect(() => {
    if (pathname !== askedAt) onCancel()
  }, [askedAt, pathname, onCancel])
}

/** Leaves the page and comes back to it, so what was asked for is asked for again there. */
function ByIdentityProvider({ other }: { other: boolean }) {
  const { data: setup } = useQuery(setupQuery)
  const { href } = useLocation()
  return (
    <div className="flex flex-col gap-2">
      <a href={identityProviderStart('sudo', href)} className={buttonClass(other ? 'secondary' : 'primary')}>
        Continue with {setup?.identityProvider?.name ?? 'your identity provider'}
      </a>
      <p className="text-12 text-muted">You come back to this page; then do again what you were about to do.</p>
    </div>
  )
}
