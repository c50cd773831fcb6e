import { useState, type ReactNode } from 'react'
import { useSession } from '@/api/queries/session'
import { useChangeUser, useResetLink, useTakeFromUser, type UserChange } from '@/api/queries/users'
import type { UserRow } from '@/api/types'
import { SaveError } from '@/features/shared/save-error'
import { ShownOnce } from '@/features/shared/shown-once'
import { IconButton } from '@/ui/button'
import { Confirm } from '@/ui/dialog'
import { plural } from '@/ui/format'
import { MoreIcon } from '@/ui/icons'
import { Tag } from '@/ui/layout'
import { Menu } from '@/ui/menu'
import { FormError } from '@/ui/states'
import { Ago } from '@/ui/time'
import { toast } from '@/ui/toast'

interface PersonRowProps {
  person: UserRow
  /** Somebody must be able to run the installation. */
  lastOperator: boolean
  refetch: () => Promise<unknown>
}

type Question = 'disable' | 'operator' | 'plain' | 'sessions' | 'totp'

/** One account, and what an operator may do with it. */
export function PersonRow({ person, lastOperator, refetch }: PersonRowProps) {
  const { user } = useSession()
  const change = useChangeUser(person.id)
  const take = useTakeFromUser(person.id)
  const reset = useResetLink(person.id)
  const [asking, setAsking] = useState<Question | null>(null)
  const isSelf = person.id === user?.id
  const apply = (fields: Omit<UserChange, 'version'>, done: string) =>
    change.mutate({ ...fields, version: person.version }, { onSuccess: () => toast(done), onSettled: () => setAsking(null) })
  const remove = (what: 'sessions' | 'totp', done: string) =>
    take.mutate(what, { onSuccess: () => toast(done), onSettled: () => setAsking(null) })
  const questions = questionsAbout(person, apply, remove)
  const actions = [
    { id: 'reset', label: person.hasPassword ? 'Make a password reset link' : 'Make a link to set a password', onAction: () => reset.mutate() },
    { id: 'sessions', label: 'Sign out everywhere', onAction: () => setAsking('sessions') },
    ...(person.totp ? [{ id: 'totp', label: 'Remove the authenticator', onAction: () => setAsking('totp') }] : []),
    ...(person.operator
      ? lastOperator ? [] : [{ id: 'plain', label: 'Take the operator role away', onAction: () => setAsking('plain') }]
      : [{ id: 'operator', label: 'Make operator', onAction: () => setAsking('operator') }]),
    ...(person.disabledAt
      ? [{ id: 'enable', label: 'Enable', onAction: () => apply({ disabled: false }, `${person.name} can sign in again.`) }]
      : lastOperator || isSelf ? [] : [{ id: 'disable', label: 'Disable', onAction: () => setAsking('disable') }]),
  ]
  const question = asking && questions[asking]
  return (
    <li className="flex flex-col gap-2 px-4 py-2.5 text-13">
      <div className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-3 gap-y-1 lg:grid-cols-[minmax(0,1fr)_24rem_auto]">
        <span className="min-w-0">
          <span className="flex min-w-0 flex-wrap items-center gap-1.5">
            <span className="truncate font-medium">{person.name}</span>
            {isSelf && <span className="text-muted">(you)</span>}
            {person.operator && <Tag>Operator</Tag>}
            {person.disabledAt && <Tag>Disabled</Tag>}
          </span>
          <span className="block truncate text-12 text-muted">{person.email}</span>
        </span>
        <span className="min-w-0 text-12 text-muted max-lg:col-span-2 max-lg:row-start-2">
          {plural(person.projects, 'project')}, {person.lastSeenAt ? <>seen <Ago at={person.lastSeenAt} /></> : 'never signed in'},{' '}
          {person.totp ? 'authenticator on' : 'no authenticator'}
          {!person.hasPassword && ', no password'}
        </span>
        <Menu label={`What to do with ${person.name}`} actions={actions}>
          <IconButton label={`Actions for ${person.name}`} size="sm">
            <MoreIcon />
          </IconButton>
        </Menu>
      </div>
      {lastOperator && <p className="text-12 text-muted">The last operator: make somebody else operator before you change or disable this account.</p>}
      <SaveError error={change.error} onNewest={() => refetch().then(() => change.reset())} />
      <FormError error={take.error ?? reset.error} />
      {question && (
        <Confirm
          title={question.title}
          action={question.action}
          isOpen
          isPending={change.isPending || take.isPending}
          onClose={() => setAsking(null)}
          onConfirm={question.onConfirm}
        >
          {question.text}
        </Confirm>
      )}
      {reset.data && (
        <ShownOnce title={`Link for ${person.name}`} value={reset.data.link} label="link" onClose={() => reset.reset()}>
          Send it to {person.email}: it sets a new password and signs them out everywhere. It ends <Ago at={reset.data.expiresAt} />.
        </ShownOnce>
      )}
    </li>
  )
}

interface Asked {
  title: string
  action: string
  text: ReactNode
  onConfirm: () => void
}

/** What each deed takes away, in words. */
function questionsAbout(
  { name, projects }: UserRow,
  apply: (fields: Omit<UserChange, 'version'>, done: string) => void,
  remove: (what: 'sessions' | 'totp', done: string) => void,
): Record<Question, Asked> {
  return {
    disable: {
      title: `Disable ${name}?`,
      action: 'Disable',
      text: `${name} is signed out everywhere and cannot sign in until you enable the account again. Membership of ${plural(projects, 'project')} stays.`,
      onConfirm: () => apply({ disabled: true }, `${name} is disabled and signed out.`),
    },
    operator: {
      title: `Make ${name} operator?`,
      action: 'Make operator',
      text: `${name} may then do everything here: see and change every project, and every account, yours too.`,
      onConfirm: () => apply({ operator: true }, `${name} is now operator.`),
    },
    plain: {
      title: `Take the operator role from ${name}?`,
      action: 'Take it away',
      text: `${name} then sees only the ${plural(projects, 'project')} they are a member of.`,
      onConfirm: () => apply({ operator: false }, `${name} is no longer operator.`),
    },
    sessions: {
      title: `Sign ${name} out everywhere?`,
      action: 'Sign out',
      text: 'Every session ends at once. They can sign in again, and their API keys keep working.',
      onConfirm: () => remove('sessions', `${name} is signed out everywhere.`),
    },
    totp: {
      title: `Remove the authenticator of ${name}?`,
      action: 'Remove',
      text: 'Signing in then asks for the password only, until they set up a new one. Make sure that it is really them who asked.',
      onConfirm: () => remove('totp', `The authenticator of ${name} is removed.`),
    },
  }
}
