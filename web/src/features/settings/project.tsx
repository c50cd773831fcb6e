import { useQuery } from '@tanstack/react-query'
import { projectQuery, useChangeProject } from '@/api/queries/projects'
import { currentProject, useRole, useSession } from '@/api/queries/session'
import type { ProjectDetail, ProjectFlags } from '@/api/types'
import { useDraft } from '@/features/shared/draft'
import { SaveError } from '@/features/shared/save-error'
import { Button } from '@/ui/button'
import { Switch } from '@/ui/checkbox'
import { CopyBox } from '@/ui/copy'
import { TextField } from '@/ui/field'
import { Facts, Panel } from '@/ui/layout'
import { Loaded, SkeletonRows } from '@/ui/states'
import { toast } from '@/ui/toast'
import { DeleteProject, LeaveProject, TransferProject } from './project-ends'

/** The project itself: its name, what is switched on, who holds it, and its end. */
export function ProjectTab() {
  const id = currentProject(useSession())?.id ?? ''
  const query = useQuery(projectQuery(id))
  const { role, canConfigure, canOwn } = useRole()
  return (
    <Loaded query={query} loading={<Panel><SkeletonRows rows={5} label="Loading the project" /></Panel>}>
      {(project) => (
        <>
          <NamePanel project={project} refetch={query.refetch} />
          {canConfigure && <FlagsPanel project={project} refetch={query.refetch} />}
          {role !== null && <LeaveProject project={project} />}
          {canOwn && <TransferProject project={project} />}
          {canOwn && <DeleteProject project={project} />}
        </>
      )}
    </Loaded>
  )
}

interface PartProps {
  project: ProjectDetail
  refetch: () => Promise<unknown>
}

function NamePanel({ project, refetch }: PartProps) {
  const { canConfigure } = useRole()
  const change = useChangeProject(project.id)
  const draft = useDraft(project, ({ name }) => ({ name }))
  if (!canConfigure) {
    return (
      <Panel id="project" title="Project">
        <div className="flex flex-col gap-3 p-4">
          <Facts items={[['Name', project.name], ['Short name', <code key="slug" className="font-mono text-12">{project.slug}</code>]]} />
          <p className="text-12 text-muted">Admins and owners change it.</p>
        </div>
      </Panel>
    )
  }
  return (
    <Panel id="project" title="Project">
      <form
        className="flex flex-col gap-4 p-4"
        onSubmit={(event) => {
          event.preventDefault()
          change.mutate(
            { name: draft.fields.name.trim(), version: draft.version },
            {
              onSuccess: () => {
                draft.reset()
                toast('The name is saved.')
              },
            },
          )
        }}
      >
        <TextField label="Name" value={draft.fields.name} onChange={(name) => draft.set({ name })} isRequired maxLength={120} />
        <div className="flex flex-col gap-1">
          <p className="text-13 font-medium">Short name</p>
          <CopyBox value={project.slug} label="short name" />
          <p className="text-12 text-muted">What programs call the project. It stays as it is.</p>
        </div>
        <SaveError
          error={change.error}
          onNewest={async () => {
            await refetch()
            draft.reset()
            change.reset()
          }}
        />
        <Button type="submit" variant="primary" className="self-end" isDisabled={change.isPending || !draft.touched}>
          Save
        </Button>
      </form>
    </Panel>
  )
}

const FLAGS: { id: keyof ProjectFlags; label: string; hint: string }[] = [
  { id: 'healthUi', label: 'Health pages', hint: 'Whether members are to see health. Told to clients of the API; these pages do not hide anything by it yet.' },
  { id: 'statusApi', label: 'Status API', hint: 'Whether the status API is to answer for this project. Kept here until that API is there.' },
  { id: 'shadow', label: 'Shadow mode', hint: 'Whether scheduled checks are to run without telling anybody, to try Linekeeper beside what you use now. Kept here until checks are scheduled.' },
]

/** Each is saved the moment it is flipped. */
function FlagsPanel({ project, refetch }: PartProps) {
  const change = useChangeProject(project.id)
  const flip = (id: keyof ProjectFlags, label: string, on: boolean) =>
    change.mutate({ flags: { [id]: on }, version: project.version }, { onSuccess: () => toast(`${label}: ${on ? 'on' : 'off'}.`) })
  return (
    <Panel id="flags" title="Features">
      <div className="divide-y divide-line">
        {FLAGS.map(({ id, label, hint }) => (
          <Switch key={id} isSelected={project.flags[id]} isDisabled={change.isPending} onChange={(on) => flip(id, label, on)} hint={hint}>
            {label}
          </Switch>
        ))}
      </div>
      {change.error && (
        <div className="border-t border-line px-4 py-2">
          <SaveError error={change.error} onNewest={() => refetch().then(() => change.reset())} />
        </div>
      )}
    </Panel>
  )
}
