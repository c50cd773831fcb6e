import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAddUser, usersQuery } from '@/api/queries/users'
import { ShownOnce } from '@/features/shared/shown-once'
import { Button } from '@/ui/button'
import { Checkbox } from '@/ui/checkbox'
import { Dialog, DialogActions } from '@/ui/dialog'
import { TextField } from '@/ui/field'
import { Panel } from '@/ui/layout'
import { Empty, FormError, Loaded, SkeletonRows } from '@/ui/states'
import { PersonRow } from './person-row'

/** Everybody with an account on this installation. */
export function PeoplePanel() {
  const query = useQuery(usersQuery)
  const [adding, setAdding] = useState(false)
  return (
    <Panel
      id="people"
      title="People"
      aside={
        <Button size="sm" onPress={() => setAdding(true)}>
          Add somebody
        </Button>
      }
    >
      <Loaded query={query} loading={<SkeletonRows rows={4} label="Loading people" />}>
        {(users) => {
          const operators = users.filter((user) => user.operator && !user.disabledAt).length
          return users.length === 0 ? (
            <Empty title="Nobody has an account">Add somebody: you get a link with which they set their password.</Empty>
          ) : (
            <ul className="divide-y divide-line">
              {users.map((user) => (
                <PersonRow key={user.id} person={user} lastOperator={user.operator && !user.disabledAt && operators === 1} refetch={query.refetch} />
              ))}
            </ul>
          )
        }}
      </Loaded>
      {adding && <AddPerson onClose={() => setAdding(false)} />}
    </Panel>
  )
}

function AddPerson({ onClose }: { onClose: () => void }) {
  const add = useAddUser()
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [operator, setOperator] = useState(false)
  if (add.data) {
    return (
      <ShownOnce title={`Link for ${add.data.user.name}`} value={add.data.link} label="link" onClose={onClose}>
        Send it to {add.data.user.email}: it opens a page that sets their password. They see a project once an admin of it invites them.
      </ShownOnce>
    )
  }
  return (
    <Dialog title="Add somebody" isOpen onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          add.mutate({ name: name.trim(), email: email.trim(), operator })
        }}
      >
        <TextField label="Name" autoComplete="off" value={name} onChange={setName} isRequired maxLength={120} autoFocus />
        <TextField label="Email" type="email" autoComplete="off" hint="They sign in with it. Nothing is sent." value={email} onChange={setEmail} isRequired />
        <Checkbox isSelected={operator} onChange={setOperator} hint="Runs the whole installation: every project and every person.">
          Operator
        </Checkbox>
        <FormError error={add.error} />
        <DialogActions>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" isDisabled={add.isPending}>
            Add
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
