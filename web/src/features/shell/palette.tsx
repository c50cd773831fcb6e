import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import {
  Autocomplete,
  Dialog,
  Header,
  Input,
  Menu,
  MenuItem,
  MenuSection,
  Modal,
  ModalOverlay,
  SearchField,
  useFilter,
} from 'react-aria-components'
import { integrationsQuery } from '@/api/queries/integrations'
import { problemsQuery } from '@/api/queries/problems'
import { currentProject, useRole, useSession } from '@/api/queries/session'
import { ProviderIcon } from '@/provider/provider-icon'
import { HelpIcon, MoonIcon, PlusIcon, SearchIcon, SunIcon, SystemIcon, UserIcon } from '@/ui/icons'
import { setTheme } from '@/ui/preferences'
import { HealthShape, SeverityMark } from '@/ui/status'
import { usePlaces } from './nav'

interface Entry {
  id: string
  label: string
  icon: ReactNode
  note?: ReactNode
  run: () => void
}
interface Section {
  title: string
  entries: Entry[]
}

interface PaletteProps {
  onClose: () => void
  onHelp: () => void
}

/** Everything that can be gone to or done, by name. */
export function Palette({ onClose, onHelp }: PaletteProps) {
  const { contains } = useFilter({ sensitivity: 'base' })
  const sections = useSections(onHelp).filter((section) => section.entries.length > 0)
  const run = (id: string) => {
    const entry = sections.flatMap((section) => section.entries).find((item) => item.id === id)
    onClose()
    entry?.run()
  }
  return (
    <ModalOverlay isOpen isDismissable onOpenChange={(open) => open || onClose()} className="fixed inset-0 z-40 flex items-start justify-center bg-[rgb(10_11_16/0.4)] p-4 pt-[10dvh]">
      <Modal className="w-full max-w-xl rounded-lg bg-surface shadow-float">
        <Dialog aria-label="Go to" className="flex max-h-[70dvh] flex-col outline-none">
          <Autocomplete filter={contains}>
            <SearchField aria-label="Go to" autoFocus className="flex items-center gap-2 border-b border-line px-4">
              <SearchIcon className="size-4 text-muted" />
              <Input placeholder="Page, integration, problem or action" className="h-11 min-w-0 flex-1 bg-transparent text-14 outline-none placeholder:text-muted [&::-webkit-search-cancel-button]:hidden" />
            </SearchField>
            <Menu
              aria-label="Results"
              items={sections}
              onAction={(id) => run(String(id))}
              className="min-h-0 overflow-y-auto p-2 outline-none scroll-thin"
              renderEmptyState={() => <p className="px-2 py-6 text-center text-13 text-muted">Nothing has that name.</p>}
            >
              {(section) => (
                <MenuSection id={section.title} items={section.entries} className="mb-1">
                  <Header className="px-2 pt-2 pb-1 text-12 text-muted">{section.title}</Header>
                  {section.entries.map((entry) => (
                    <PaletteItem key={entry.id} entry={entry} />
                  ))}
                </MenuSection>
              )}
            </Menu>
          </Autocomplete>
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}

function PaletteItem({ entry }: { entry: Entry }) {
  return (
    <MenuItem
      id={entry.id}
      textValue={entry.label}
      className="flex h-9 cursor-default items-center gap-2.5 rounded-md px-2 text-13 outline-none data-[focused]:bg-n3"
    >
      <span className="text-muted">{entry.icon}</span>
      <span className="min-w-0 flex-1 truncate">{entry.label}</span>
      {entry.note && <span className="text-12 text-muted">{entry.note}</span>}
    </MenuItem>
  )
}

function useSections(onHelp: () => void): Section[] {
  const navigate = useNavigate()
  const { canConfigure } = useRole()
  const places = usePlaces()
  const enabled = currentProject(useSession()) !== undefined
  const { data: integrations = [] } = useQuery({ ...integrationsQuery, enabled })
  const { data: problems = [] } = useQuery({ ...problemsQuery({ state: 'open' }), enabled })
  return [
    {
      title: 'Pages',
      entries: [
        ...places.map((place) => ({
          id: place.to,
          label: place.label,
          icon: <place.icon />,
          run: () => void navigate({ to: place.to }),
        })),
        { id: '/profile', label: 'Your profile', icon: <UserIcon />, run: () => void navigate({ to: '/profile' }) },
      ],
    },
    {
      title: 'Integrations',
      entries: integrations.map((item) => ({
        id: `integration:${item.id}`,
        label: item.name,
        icon: <ProviderIcon provider={item.provider} name={item.name} />,
        note: <HealthShape health={item.health} label />,
        run: () => void navigate({ to: '/integrations/$id', params: { id: item.id } }),
      })),
    },
    {
      title: 'Open problems',
      entries: problems.map((problem) => ({
        id: `problem:${problem.id}`,
        label: problem.title,
        icon: <ProviderIcon provider={problem.provider} name={problem.integrationName} />,
        note: <SeverityMark severity={problem.classification.severity} />,
        run: () => void navigate({ to: '/problems/$id', params: { id: problem.id } }),
      })),
    },
    {
      title: 'Actions',
      entries: [
        ...(canConfigure && enabled
          ? [{ id: 'add', label: 'Add an integration', icon: <PlusIcon />, run: () => void navigate({ to: '/integrations/new' }) }]
          : []),
        { id: 'light', label: 'Light theme', icon: <SunIcon />, run: () => setTheme('light') },
        { id: 'dark', label: 'Dark theme', icon: <MoonIcon />, run: () => setTheme('dark') },
        { id: 'system', label: 'Theme of the system', icon: <SystemIcon />, run: () => setTheme('system') },
        { id: 'help', label: 'Keyboard help', icon: <HelpIcon />, run: onHelp },
      ],
    },
  ]
}
