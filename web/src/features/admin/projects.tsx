import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { projectsQuery, useCreateProject } from '@/api/queries/projects'
import { currentProject, switchProject, useSession } from '@/api/queries/session'
import type { ProjectRow } from '@/api/types'
import { ROLE_WORDS } from '@/api/words'
import { Button } from '@/ui/button'
import { Dialog, DialogActions } from '@/ui/dialog'
import { TextField } from '@/ui/field'
import { plural } from '@/ui/format'
import { Panel, Tag } from '@/ui/layout'
import { Empty, FormError, Loaded, SkeletonRows } from '@/ui/states'
import { Ago } from '@/ui/time'
import { toast } from '@/ui/toast'

/** Every project of the installation. */
export function ProjectsPanel() {
  const query = useQuery(projectsQuery)
  const [creating, setCreating] = useState(false)
  return (
    <Panel
      id="projects"
      title="Projects"
      aside={
        <Button size="sm" onPress={() => setCreating(true)}>
          New project
        </Button>
      }
    >
      <Loaded query={query} loading={<SkeletonRows rows={4} label="Loading projects" />}>
        {(projects) =>
          projects.length === 0 ? (
            <Empty title="No projects">Create the first: integrations, people and keys belong to a project.</Empty>
          ) : (
            <ul className="divide-y divide-line">
              {projects.map((project) => (
                <Row key={project.id} project={project} />
              ))}
            </ul>
          )
        }
      </Loaded>
      {creating && <CreateProject onClose={() => setCreating(false)} />}
    </Panel>
  )
}

function Row({ project }: { project: ProjectRow }) {
  const session = useSession()
  const shown = currentProject(session)?.id === project.id
  const mine = session.projects.some((item) => item.id === project.id)
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 text-13">
      <span className="min-w-0 flex-1 basis-56">
        <span className="flex min-w-0 items-center gap-1.5">
          <span className="truncate font-medium">{project.name}</span>
          <code className="truncate font-mono text-12 text-muted">{project.slug}</code>
        </span>
        <span className="block text-12 text-muted">
          {plural(project.members, 'member')}, {plural(project.integrations, 'integration')}, made <Ago at={project.createdAt} />
        </span>
      </span>
      <Tag>{project.role ? ROLE_WORDS[project.role] : 'Not a member'}</Tag>
      {shown ? (
        <Tag>On screen</Tag>
      ) : (
        mine && (
          <Button size="sm" aria-label={`Open ${project.name}`} onPress={() => switchProject(project, '/settings?tab=project')}>
            Open
          </Button>
        )
      )}
    </li>
  )
}

const SLUG_CHARS_MAX = 40

/** "Acme Builders" is `acme-builders` in addresses and programs. */
const slugOf = (name: string) =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, SLUG_CHARS_MAX)
    .replace(/^-+|-+$/g, '')

function CreateProject({ onClose }: { onClose: () => void }) {
  const create = useCreateProject()
  const [name, setName] = useState('')
  const [slug, setSlug] = useState<string | null>(null)
  return (
    <Dialog title="New project" isOpen onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          create.mutate(
            { name: name.trim(), slug: slug ?? slugOf(name) },
            {
              onSuccess: (project) => {
                onClose()
                toast(`${project.name} is there, and you own it.`)
              },
            },
          )
        }}
      >
        <TextField label="Name" value={name} onChange={setName} isRequired maxLength={120} autoFocus />
        <TextField
          label="Short name"
          hint="What programs call it: small letters, digits and hyphens. It stays as it is."
          mono
          pattern="[a-z0-9]+(-[a-z0-9]+)*"
          maxLength={SLUG_CHARS_MAX}
          value={slug ?? slugOf(name)}
          onChange={setSlug}
          isRequired
        />
        <FormError error={create.error} />
        <DialogActions>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" isDisabled={create.isPending}>
            Create project
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
