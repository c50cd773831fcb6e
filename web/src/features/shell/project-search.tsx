import { Autocomplete, Dialog, Input, Menu, MenuItem, Modal, ModalOverlay, SearchField, useFilter } from 'react-aria-components'
import { switchProject, useSession } from '@/api/queries/session'
import { CheckIcon, SearchIcon } from '@/ui/icons'
import { projectNote } from './project-menu'

/** Many projects, found by a part of their name. */
export function ProjectSearch({ current, onClose }: { current: string; onClose: () => void }) {
  const { projects } = useSession()
  const { contains } = useFilter({ sensitivity: 'base' })
  return (
    <ModalOverlay isOpen isDismissable onOpenChange={(open) => open || onClose()} className="fixed inset-0 z-40 flex items-start justify-center bg-[rgb(10_11_16/0.4)] p-4 pt-[10dvh]">
      <Modal className="w-full max-w-md rounded-lg bg-surface shadow-float">
        <Dialog aria-label="Projects" className="flex max-h-[70dvh] flex-col outline-none">
          <Autocomplete filter={contains}>
            <SearchField aria-label="Find a project" autoFocus className="flex items-center gap-2 border-b border-line px-4">
              <SearchIcon className="size-4 text-muted" />
              <Input placeholder="Name of the project" className="h-11 min-w-0 flex-1 bg-transparent text-14 outline-none placeholder:text-muted [&::-webkit-search-cancel-button]:hidden" />
            </SearchField>
            <Menu
              aria-label="Projects"
              items={projects}
              onAction={(id) => switchProject({ id: String(id) })}
              className="min-h-0 overflow-y-auto p-2 outline-none scroll-thin"
              renderEmptyState={() => <p className="px-2 py-6 text-center text-13 text-muted">No project of yours has that name.</p>}
            >
              {(project) => (
                <MenuItem id={project.id} textValue={project.name} className="flex h-9 cursor-default items-center gap-2.5 rounded-md px-2 text-13 outline-none data-[focused]:bg-n3">
                  {project.id === current ? <CheckIcon className="size-3.5" /> : <span className="size-3.5" />}
                  <span className="min-w-0 flex-1 truncate">{project.name}</span>
                  <span className="text-12 text-muted">{projectNote(project)}</span>
                </MenuItem>
              )}
            </Menu>
          </Autocomplete>
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}
