import { useState } from 'react'
import { useCreateApiKey } from '@/api/queries/api-keys'
import { useRole } from '@/api/queries/session'
import type { Role, Scope } from '@/api/types'
import { ROLE_MEANS, ROLE_WORDS, ROLES, SCOPE_MEANS, SCOPE_WORDS, scopesOf } from '@/api/words'
import { ShownOnce } from '@/features/shared/shown-once'
import { Button } from '@/ui/button'
import { Checkbox } from '@/ui/checkbox'
import { Dialog, DialogActions } from '@/ui/dialog'
import { TextField } from '@/ui/field'
import { Select } from '@/ui/select'
import { FormError } from '@/ui/states'

const NEVER = 'never'
const EXPIRY = [
  { id: '30', label: '30 days' },
  { id: '90', label: '90 days' },
  { id: '365', label: '1 year' },
  { id: NEVER, label: 'Never' },
]

/** Name, role, scopes within the role, expiry; then the key, shown once. */
export function CreateKey({ onClose }: { onClose: () => void }) {
  const create = useCreateApiKey()
  const { canOwn } = useRole()
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const [without, setWithout] = useState<ReadonlySet<Scope>>(new Set())
  const [expiry, setExpiry] = useState('90')
  const roles = ROLES.filter((id) => canOwn || id !== 'owner').map((id) => ({ id, label: ROLE_WORDS[id] }))
  const scopes = scopesOf(role).filter((scope) => !without.has(scope))
  const toggle = (scope: Scope, on: boolean) => {
    const next = new Set(without)
    if (on) next.delete(scope)
    else next.add(scope)
    setWithout(next)
  }
  if (create.data) {
    return (
      <ShownOnce title="Your new key" value={create.data.value} label="API key" onClose={onClose}>
        Give it to {create.data.key.name} as its bearer token.
      </ShownOnce>
    )
  }
  return (
    <Dialog title="New API key" isOpen onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          create.mutate({ name: name.trim(), role, scopes, ...(expiry !== NEVER && { expiresInDays: Number(expiry) }) })
        }}
      >
        <TextField label="Name" hint="What will use it." value={name} onChange={setName} isRequired autoFocus />
        <Select label="Role" hint={`It ${ROLE_MEANS[role]}.`} isRequired options={roles} value={role} onChange={(id) => setRole(id as Role)} />
        <fieldset className="flex flex-col gap-2">
          <legend className="mb-1 text-13 font-medium">What it may be used for</legend>
          {scopesOf(role).map((scope) => (
            <Checkbox key={scope} isSelected={!without.has(scope)} onChange={(on) => toggle(scope, on)} hint={SCOPE_MEANS[scope]}>
              {SCOPE_WORDS[scope]}
            </Checkbox>
          ))}
          {scopes.length === 0 && <p className="text-12 text-muted">Tick at least one: a key without any would be refused everywhere.</p>}
        </fieldset>
        <Select
          label="Expires after"
          {...(expiry === NEVER && { hint: 'It works until somebody revokes it. An expiry limits what a lost key can do.' })}
          isRequired
          options={EXPIRY}
          value={expiry}
          onChange={setExpiry}
        />
        <FormError error={create.error} />
        <DialogActions>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" isDisabled={create.isPending || scopes.length === 0}>
            Create key
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
