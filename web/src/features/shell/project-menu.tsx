import { lazy, Suspense, useState } from 'react'
import { currentProject, switchProject, useSession } from '@/api/queries/session'
import type { Session } from '@/api/types'
import { ROLE_WORDS } from '@/api/words'
import { Button } from '@/ui/button'
import { CheckIcon, DownIcon } from '@/ui/icons'
import { Tag } from '@/ui/layout'
import { Menu } from '@/ui/menu'

const ProjectSearch = lazy(() => import('./project-search').then((module) => ({ default: module.ProjectSearch })))

/** More than this many are found by typing. */
const MANY = 8

type Project = Session['projects'][number]
/** What one is there, and whether the project only watches. */
export const projectNote = ({ role, flags }: Project) => `${ROLE_WORDS[role]}${flags.shadow ? ', shadow mode' : ''}`

/** The project on screen, and the way to the others. */
export function ProjectMenu() {
  const session = useSession()
  const [searching, setSearching] = useState(false)
  const project = currentProject(session)
  if (!project) return null
  return (
    <div className="flex min-w-0 items-center gap-2">
      {session.projects.length < 2 ? (
        <span className="min-w-0 truncate pl-2 text-13 text-muted lg:border-l lg:border-line lg:pl-3">{project.name}</span>
      ) : session.projects.length <= MANY ? (
        <Menu label="Projects" actions={session.projects.map((item) => actionFor(item, project))}>
          <ProjectButton name={project.name} />
        </Menu>
      ) : (
        <ProjectButton name={project.name} onPress={() => setSearching(true)} />
      )}
      {project.flags.shadow && (
        <span className="max-sm:hidden">
          <Tag title="Checks run and are recorded; nobody is alerted.">Shadow mode</Tag>
        </span>
      )}
      <Suspense>{searching && <ProjectSearch current={project.id} onClose={() => setSearching(false)} />}</Suspense>
    </div>
  )
}

function ProjectButton({ name, onPress }: { name: string; onPress?: () => void }) {
  return (
    <Button variant="ghost" size="sm" className="min-w-0 shrink! text-13" aria-label={`Project: ${name}`} {...(onPress && { onPress })}>
      <span className="truncate">{name}</span> <DownIcon className="size-3" />
    </Button>
  )
}

const actionFor = (item: Project, current: Project) => ({
  id: item.id,
  label: item.name,
  note: projectNote(item),
  icon: item.id === current.id ? <CheckIcon className="size-3.5" /> : <span className="size-3.5" />,
  onAction: () => switchProject(item),
})
