import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { invitationsQuery, useInvite, useRevokeInvitation } from '@/api/queries/members'
import { useRole } from '@/api/queries/session'
import type { Invitation, Role } from '@/api/types'
import { ROLE_MEANS, ROLE_WORDS, ROLES } from '@/api/words'
import { ShownOnce } from '@/features/shared/shown-once'
import { Button } from '@/ui/button'
import { Dialog, DialogActions } from '@/ui/dialog'
import { TextField } from '@/ui/field'
import { plural } from '@/ui/format'
import { Panel, Tag } from '@/ui/layout'
import { Select } from '@/ui/select'
import { Empty, FormError, Loaded, SkeletonRows } from '@/ui/states'
import { Ago } from '@/ui/time'
import { toast } from '@/ui/toast'

/** Links that make somebody a member; each works once. */
export function InvitationsPanel() {
  const query = useQuery(invitationsQuery)
  const [inviting, setInviting] = useState(false)
  return (
    <Panel
      id="invitations"
      title="Open invitations"
      aside={
        <Button size="sm" onPress={() => setInviting(true)}>
          Invite somebody
        </Button>
      }
    >
      <Loaded query={query} loading={<SkeletonRows rows={2} label="Loading invitations" />}>
        {(invitations) =>
          invitations.length === 0 ? (
            <Empty title="No open invitations">Invite somebody: you get a link to send them, and they join with an account of theirs or a new one.</Empty>
          ) : (
            <ul className="divide-y divide-line">
              {invitations.map((invitation) => (
                <InvitationRow key={invitation.id} invitation={invitation} />
              ))}
            </ul>
          )
        }
      </Loaded>
      {inviting && <Invite onClose={() => setInviting(false)} />}
    </Panel>
  )
}

function InvitationRow({ invitation }: { invitation: Invitation }) {
  const revoke = useRevokeInvitation()
  const who = invitation.email ?? 'Anybody with the link'
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 text-13">
      <span className="min-w-0 flex-1 basis-48">
        <span className="block truncate font-medium">{who}</span>
        <span className="block text-12 text-muted">
          by {invitation.createdBy} <Ago at={invitation.createdAt} />, ends <Ago at={invitation.expiresAt} />
        </span>
      </span>
      <span className="ml-auto flex items-center gap-3">
        <Tag>{ROLE_WORDS[invitation.role]}</Tag>
        <Button
          size="sm"
          variant="ghost"
          aria-label={`Revoke the invitation of ${who}`}
          isDisabled={revoke.isPending}
          onPress={() => revoke.mutate(invitation.id, { onSuccess: () => toast('The invitation is revoked: its link no longer works.') })}
        >
          Revoke
        </Button>
      </span>
      <FormError error={revoke.error} />
    </li>
  )
}

const DAYS = [1, 7, 14, 30].map((days) => ({ id: String(days), label: plural(days, 'day') }))

function Invite({ onClose }: { onClose: () => void }) {
  const invite = useInvite()
  const { canOwn } = useRole()
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const [days, setDays] = useState('7')
  const roles = ROLES.filter((id) => canOwn || id !== 'owner').map((id) => ({ id, label: ROLE_WORDS[id] }))
  if (invite.data) {
    const invited = invite.data.invitation
    return (
      <ShownOnce title="Invitation link" value={invite.data.link} label="invitation link" onClose={onClose}>
        {invited.email ? `Send it to ${invited.email}: it is for that address only. They join` : 'Send it to the person you invite: whoever uses it first joins'} as{' '}
        {ROLE_WORDS[invited.role].toLowerCase()}; it ends{' '}
        <Ago at={invited.expiresAt} />.
      </ShownOnce>
    )
  }
  return (
    <Dialog title="Invite somebody" isOpen onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          invite.mutate({ role, ...(email.trim() && { email: email.trim() }), expiresInDays: Number(days) })
        }}
      >
        <TextField label="Email" type="email" autoComplete="off" hint="With it, the link is for this address only. Nothing is sent: you pass the link on." value={email} onChange={setEmail} autoFocus />
        <Select label="Role" hint={`A person who ${ROLE_MEANS[role]}.`} isRequired options={roles} value={role} onChange={(id) => setRole(id as Role)} />
        <Select label="The link ends after" isRequired options={DAYS} value={days} onChange={setDays} />
        <FormError error={invite.error} />
        <DialogActions>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" isDisabled={invite.isPending}>
            Make the link
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
