import { useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { membersQuery } from '@/api/queries/members'
import { useDeleteProject, useLeaveProject, useTransferProject } from '@/api/queries/projects'
import { useSession } from '@/api/queries/session'
import type { ProjectDetail } from '@/api/types'
import { ROLE_WORDS } from '@/api/words'
import { Button } from '@/ui/button'
import { Confirm, Dialog, DialogActions } from '@/ui/dialog'
import { TextField } from '@/ui/field'
import { plural } from '@/ui/format'
import { Panel } from '@/ui/layout'
import { Select } from '@/ui/select'
import { FormError } from '@/ui/states'
import { toast } from '@/ui/toast'

/** The project that every installation begins with; it cannot be deleted. */
const FIRST_SLUG = 'default'

function Row({ id, title, text, children }: { id: string; title: string; text: string; children: ReactNode }) {
  return (
    <Panel id={id} title={title}>
      <div className="flex flex-wrap items-center gap-3 p-4 text-13">
        <p className="min-w-0 flex-1 basis-64 text-pretty text-muted">{text}</p>
        {children}
      </div>
    </Panel>
  )
}

export function LeaveProject({ project }: { project: ProjectDetail }) {
  const leave = useLeaveProject(project.id)
  const { user } = useSession()
  const { data: members } = useQuery(membersQuery)
  const [asking, setAsking] = useState(false)
  const owners = members?.filter((member) => member.role === 'owner') ?? []
  const last = owners.length === 1 && owners[0]?.userId === user?.id
  return (
    <Row
      id="leave"
      title="Leave"
      text={last ? 'You are its last owner: hand it over or make somebody else owner, then you can leave.' : 'You no longer see this project. To come back, you need a new invitation.'}
    >
      <Button className="max-w-full" isDisabled={last} onPress={() => setAsking(true)}>
        <span className="truncate">Leave {project.name}</span>
      </Button>
      <Confirm
        title={`Leave ${project.name}?`}
        action="Leave"
        isOpen={asking}
        isPending={leave.isPending}
        error={leave.error}
        onClose={() => setAsking(false)}
        onConfirm={() => leave.mutate()}
      >
        You no longer see its integrations, events and problems. API keys you made keep working until an admin revokes them. To come back, ask for a new invitation.
      </Confirm>
    </Row>
  )
}

export function TransferProject({ project }: { project: ProjectDetail }) {
  const transfer = useTransferProject(project.id)
  const { user } = useSession()
  const { data: members = [] } = useQuery(membersQuery)
  const [asking, setAsking] = useState(false)
  const [userId, setUserId] = useState<string | null>(null)
  const others = members.filter((member) => member.userId !== user?.id)
  const chosen = others.find((member) => member.userId === userId)
  return (
    <Row
      id="transfer"
      title="Hand over"
      text={others.length === 0 ? 'There is no other member to hand it to: invite somebody first.' : 'Another member becomes owner, and you become admin.'}
    >
      <Button isDisabled={others.length === 0} onPress={() => setAsking(true)}>
        Hand over
      </Button>
      <Dialog title={`Hand over ${project.name}`} isOpen={asking} onClose={() => setAsking(false)}>
        <form
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault()
            if (!chosen) return
            transfer.mutate(chosen.userId, {
              onSuccess: () => {
                setAsking(false)
                toast(`${chosen.name} is now owner, and you are admin.`)
              },
            })
          }}
        >
          <Select
            label="New owner"
            placeholder="Choose a member"
            isRequired
            options={others.map((member) => ({ id: member.userId, label: `${member.name} (${ROLE_WORDS[member.role].toLowerCase()})` }))}
            value={userId}
            onChange={setUserId}
            hint="They may delete the project and take your role away. You cannot undo this yourself."
          />
          <FormError error={transfer.error} />
          <DialogActions>
            <Button onPress={() => setAsking(false)}>Cancel</Button>
            <Button type="submit" variant="primary" isDisabled={transfer.isPending || !chosen}>
              Hand over
            </Button>
          </DialogActions>
        </form>
      </Dialog>
    </Row>
  )
}

export function DeleteProject({ project }: { project: ProjectDetail }) {
  const [asking, setAsking] = useState(false)
  const first = project.slug === FIRST_SLUG
  return (
    <Row
      id="delete-project"
      title="Delete"
      text={first ? 'This is the project the installation began with: it can be renamed and emptied, but not deleted.' : 'Its integrations, events and problems are deleted with it.'}
    >
      <Button className="max-w-full" variant="danger" isDisabled={first} onPress={() => setAsking(true)}>
        <span className="truncate">Delete {project.name}</span>
      </Button>
      {asking && <DeleteDialog project={project} onClose={() => setAsking(false)} />}
    </Row>
  )
}

function DeleteDialog({ project, onClose }: { project: ProjectDetail; onClose: () => void }) {
  const remove = useDeleteProject(project.id)
  const [slug, setSlug] = useState('')
  const { loses } = project
  return (
    <Dialog title={`Delete ${project.name}?`} isOpen onClose={onClose} role="alertdialog">
      <form
        className="flex flex-col gap-4 text-13"
        onSubmit={(event) => {
          event.preventDefault()
          if (slug === project.slug) remove.mutate(slug)
        }}
      >
        <div className="text-muted">
          <p>This cannot be undone. You lose:</p>
          <ul className="mt-1 list-disc pl-5">
            <li>
              {plural(loses.integrations, 'integration')} and {plural(loses.webhookSecrets, 'webhook secret')}: what providers send is refused from then on
            </li>
            <li>
              every event of theirs and {plural(loses.openProblems, 'open problem')}
            </li>
            <li>{plural(loses.apiKeys, 'API key')}: programs that use them are refused</li>
            <li>the access of {plural(loses.members, 'member')}; their accounts stay</li>
          </ul>
        </div>
        <TextField label={`Type ${project.slug} to confirm`} autoComplete="off" mono value={slug} onChange={setSlug} isRequired autoFocus />
        <FormError error={remove.error} />
        <DialogActions>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" variant="danger" isDisabled={slug !== project.slug || remove.isPending}>
            Delete for good
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
