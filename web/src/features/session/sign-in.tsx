import { useQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { setupQuery, useSignIn } from '@/api/queries/session'
import { Button } from '@/ui/button'
import { TextField } from '@/ui/field'
import { FormError } from '@/ui/states'
import { Frame } from './frame'

/** Only paths of this app; an address such as `//elsewhere` would leave it. */
export const safeNext = (next: string | undefined): string => (next && /^\/(?![/\\])/.test(next) ? next : '/')

export function SignInPage({ next }: { next: string | undefined }) {
  const { data: setup } = useQuery(setupQuery)
  const signIn = useSignIn()
  const router = useRouter()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    signIn.mutate({ email, password }, { onSuccess: () => router.history.push(safeNext(next)) })
  }
  if (setup?.needed) {
    return (
      <Frame title="This installation has no owner yet" lead="When it started, the server printed a one-time link that creates the first account. Open that link in this browser.">
        <p className="text-13 text-muted">
          Lost it? Restart the server to have a new one printed, or create an account with <code className="font-mono text-12">linekeeper user add</code>.
        </p>
      </Frame>
    )
  }
  return (
    <Frame title="Sign in">
      <form onSubmit={submit} className="flex flex-col gap-4">
        <TextField label="Email" type="email" name="email" autoComplete="username" value={email} onChange={setEmail} isRequired autoFocus />
        <TextField label="Password" type="password" name="password" autoComplete="current-password" value={password} onChange={setPassword} isRequired />
        <FormError error={signIn.error} />
        <Button type="submit" variant="primary" isDisabled={signIn.isPending}>
          {signIn.isPending ? 'Signing in' : 'Sign in'}
        </Button>
      </form>
    </Frame>
  )
}
