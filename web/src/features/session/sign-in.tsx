import { useQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { hasCode } from '@/api/error'
import { setupQuery, useSignIn } from '@/api/queries/session'
import { CodeField } from '@/features/shared/code-field'
import { failedSentence, identityProviderStart } from '@/features/shared/identity-provider'
import { Button, buttonClass } from '@/ui/button'
import { TextField } from '@/ui/field'
import { FormError } from '@/ui/states'
import { Frame } from './frame'

/** Only paths of this app; an address such as `//elsewhere` would leave it. */
export const safeNext = (next: string | undefined): string => (next && /^\/(?![/\\])[^\p{Cc}]*$/u.test(next) ? next : '/')

interface SignInPageProps {
  next: string | undefined
  failed: string | undefined
}

/** E-mail and password; then, for those who have an authenticator, its code. */
export function SignInPage({ next, failed }: SignInPageProps) {
  const { data: setup } = useQuery(setupQuery)
  const signIn = useSignIn()
  const router = useRouter()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState<string | null>(null)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    signIn.mutate(
      { email, password, ...(code !== null && { code: code.trim() }) },
      {
        onSuccess: () => router.history.push(safeNext(next)),
        onError: (error) => {
          if (hasCode(error, 'code_required')) setCode('')
          if (hasCode(error, 'bad_credentials')) setCode(null)
        },
      },
    )
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
  // That a code is wanted is a question, not a failure.
  const error = hasCode(signIn.error, 'code_required') ? null : signIn.error
  if (code !== null) {
    return (
      <Frame title="Enter your code" lead={`Signing in as ${email}.`}>
        <form onSubmit={submit} className="flex flex-col gap-4">
          <CodeField value={code} onChange={setCode} autoFocus recovery />
          <FormError error={error} />
          <SubmitButton pending={signIn.isPending} />
          <Button
            variant="ghost"
            onPress={() => {
              setCode(null)
              signIn.reset()
            }}
          >
            Back
          </Button>
        </form>
      </Frame>
    )
  }
  return (
    <Frame title="Sign in">
      <form onSubmit={submit} className="flex flex-col gap-4">
        <FormError error={failed && !error ? new Error(failedSentence(failed)) : null} />
        <TextField label="Email" type="email" name="email" autoComplete="username" value={email} onChange={setEmail} isRequired autoFocus />
        <TextField label="Password" type="password" name="password" autoComplete="current-password" value={password} onChange={setPassword} isRequired />
        <FormError error={error} />
        <SubmitButton pending={signIn.isPending} />
      </form>
      {setup?.identityProvider && (
        <>
          <p className="my-3 flex items-center gap-3 text-12 text-muted before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">or</p>
          <a href={identityProviderStart('sign_in', safeNext(next))} className={buttonClass('secondary', 'md', 'w-full')}>
            Sign in with {setup.identityProvider.name}
          </a>
        </>
      )}
      <p className="mt-4 text-12 text-pretty text-muted">Forgot the password? An operator of this installation can make you a link that sets a new one.</p>
    </Frame>
  )
}

function SubmitButton({ pending }: { pending: boolean }) {
  return (
    <Button type="submit" variant="primary" isDisabled={pending}>
      {pending ? 'Signing in' : 'Sign in'}
    </Button>
  )
}
