import { useState, type ReactNode } from 'react'
import { NewPassword } from '@/features/shared/new-password'
import { Button } from '@/ui/button'
import { TextField } from '@/ui/field'
import { FormError } from '@/ui/states'

export interface Account {
  name: string
  email: string
  password: string
}
interface AccountFormProps {
  action: string
  email?: string
  pending: boolean
  error: Error | null
  onSubmit: (account: Account) => void
  /** What else may be done after a refusal. */
  children?: ReactNode
}

/** Name, address and password of somebody new. */
export function AccountForm({ action, email: known = '', pending, error, onSubmit, children }: AccountFormProps) {
  const [name, setName] = useState('')
  const [email, setEmail] = useState(known)
  const [password, setPassword] = useState('')
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault()
        onSubmit({ name: name.trim(), email, password })
      }}
    >
      <TextField label="Your name" name="name" autoComplete="name" value={name} onChange={setName} isRequired autoFocus />
      <TextField label="Email" type="email" name="email" autoComplete="username" value={email} onChange={setEmail} isRequired />
      <NewPassword value={password} onChange={setPassword} />
      <FormError error={error} />
      <Button type="submit" variant="primary" isDisabled={pending}>
        {pending ? 'Creating' : action}
      </Button>
      {children}
    </form>
  )
}
