import { useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { useSetup } from '@/api/queries/session'
import { Button, LinkButton } from '@/ui/button'
import { TextField } from '@/ui/field'
import { FormError } from '@/ui/states'
import { Frame } from './frame'

const MIN_PASSWORD = 12

/** Behind a one-time link: makes an account, the very first one its owner. */
export function SetupPage({ token }: { token: string | undefined }) {
  const setup = useSetup()
  const navigate = useNavigate()
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  if (!token) {
    return (
      <Frame title="This link is incomplete" lead="Open the whole one-time link that the server printed, from http to its last character.">
        <LinkButton to="/sign-in">Sign in instead</LinkButton>
      </Frame>
    )
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setup.mutate({ token, email, name, password }, { onSuccess: () => void navigate({ to: '/' }) })
  }
  return (
    <Frame title="Create your account" lead="You become the owner of this installation.">
      <form onSubmit={submit} className="flex flex-col gap-4">
        <TextField label="Your name" name="name" autoComplete="name" value={name} onChange={setName} isRequired autoFocus />
        <TextField label="Email" type="email" name="email" autoComplete="username" value={email} onChange={setEmail} isRequired />
        <TextField
          label="Password"
          type="password"
          name="password"
          autoComplete="new-password"
          hint={`At least ${MIN_PASSWORD} characters; a sentence is good.`}
          minLength={MIN_PASSWORD}
          value={password}
          onChange={setPassword}
          isRequired
        />
        <FormError error={setup.error} />
        <Button type="submit" variant="primary" isDisabled={setup.isPending}>
          {setup.isPending ? 'Creating' : 'Create account'}
        </Button>
      </form>
    </Frame>
  )
}
