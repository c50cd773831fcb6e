import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { membersQuery, useChangeMember, useRemoveMember } from '@/api/queries/members'
import { currentProject, useRole, useSession } from '@/api/queries/session'
import type { Member, Role } from '@/api/types'
import { ROLE_MEANS, ROLE_WORDS, ROLES } from '@/api/words'
import { SaveError } from '@/features/shared/save-error'
import { Button } from '@/ui/button'
import { Confirm } from '@/ui/dialog'
import { Panel, Tag } from '@/ui/layout'
import { Select } from '@/ui/select'
import { Empty, Loaded, SkeletonRows } from '@/ui/states'
import { Ago } from '@/ui/time'
import { toast } from '@/ui/toast'

/** Who works in this project and what they may do. */
export function MembersPanel() {
  const query = useQuery(membersQuery)
  const { canConfigure } = useRole()
  return (
    <Panel id="members" title="Members">
      <Loaded query={query} loading={<SkeletonRows rows={3} label="Loading members" />}>
        {(members) => {
          const owners = members.filter((member) => member.role === 'owner').length
          return members.length === 0 ? (
            <Empty title="No members">Operators see this project without being members of it. Invite somebody below.</Empty>
          ) : (
            <ul className="divide-y divide-line">
              {members.map((member) => (
                <MemberRow key={member.userId} member={member} lastOwner={member.role === 'owner' && owners === 1} refetch={query.refetch} />
              ))}
            </ul>
          )
        }}
      </Loaded>
      {!canConfigure && (
        <p className="border-t border-line px-4 py-2 text-12 text-muted">Admins and owners invite people and change what they may do.</p>
      )}
    </Panel>
  )
}

interface MemberRowProps {
  member: Member
  lastOwner: boolean
  refetch: () => Promise<unknown>
}

function MemberRow({ member, lastOwner, refetch }: MemberRowProps) {
  const { user } = useSession()
  const { canConfigure, canOwn } = useRole()
  const change = useChangeMember(member)
  const isSelf = member.userId === user?.id
  const reason = lastOwner
    ? 'The last owner: make somebody else owner first.'
    : member.role === 'owner' && !canOwn
      ? 'Only owners change owners.'
      : null
  const choose = (role: Role) => {
    if (role === member.role) return
    change.mutate(role, { onSuccess: () => toast(`${member.name} is now ${ROLE_WORDS[role].toLowerCase()}: ${ROLE_MEANS[role]}.`) })
  }
  return (
    <li className="flex flex-col gap-2 px-4 py-2.5 text-13">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="min-w-0 flex-1 basis-48">
          <span className="flex min-w-0 items-center gap-1.5">
            <span className="truncate font-medium">{member.name}</span>
            {isSelf && <span className="text-muted">(you)</span>}
            {member.operator && <Tag title="Runs this installation">operator</Tag>}
          </span>
          <span className="block truncate text-12 text-muted">
            {member.email ?? 'address hidden'}, joined <Ago at={member.createdAt} />
          </span>
        </span>
        {canConfigure ? (
          <span className="ml-auto flex items-center gap-1">
            <Select
              look="filter"
              label={`Role of ${member.name}`}
              options={rolesFor(canOwn || member.role === 'owner')}
              value={member.role}
              onChange={(role) => choose(role as Role)}
              isDisabled={reason !== null || change.isPending}
            />
            <RemoveMember member={member} isSelf={isSelf} isDisabled={reason !== null} />
          </span>
        ) : (
          <Tag title={ROLE_MEANS[member.role]}>{ROLE_WORDS[member.role]}</Tag>
        )}
      </div>
      {canConfigure && reason && <p className="text-12 text-muted">{reason}</p>}
      <SaveError error={change.error} onNewest={() => refetch().then(() => change.reset())} />
    </li>
  )
}

const rolesFor = (withOwner: boolean) => ROLES.filter((id) => withOwner || id !== 'owner').map((id) => ({ id, label: ROLE_WORDS[id] }))

function RemoveMember({ member, isSelf, isDisabled }: { member: Member; isSelf: boolean; isDisabled: boolean }) {
  const remove = useRemoveMember()
  const project = currentProject(useSession())
  const [asking, setAsking] = useState(false)
  return (
    <>
      <Button size="sm" variant="ghost" aria-label={`Remove ${member.name}`} isDisabled={isDisabled} onPress={() => setAsking(true)}>
        Remove
      </Button>
      <Confirm
        title={isSelf ? 'Remove yourself?' : `Remove ${member.name}?`}
        action="Remove"
        isOpen={asking}
        isPending={remove.isPending}
        error={remove.error}
        onClose={() => setAsking(false)}
        onConfirm={() =>
          remove.mutate(member.userId, {
            onSuccess: () => {
              setAsking(false)
              toast(`${member.name} is no longer a member.`)
            },
          })
        }
      >
        <p>
          {isSelf ? 'You no longer see' : `${member.name} no longer sees`} {project?.name ?? 'this project'}. Problems {isSelf ? 'you own' : 'they own'} stay open. Open
          invitations {isSelf ? 'you' : 'they'} made, and their API keys that manage people, stop working; their other keys go on until somebody revokes them. To undo it, send a new
          invitation.
        </p>
      </Confirm>
    </>
  )
}
