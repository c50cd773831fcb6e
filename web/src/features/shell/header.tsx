import { Link, useNavigate } from '@tanstack/react-router'
import { currentProject, useSession, useSignOut } from '@/api/queries/session'
import { Button, IconButton } from '@/ui/button'
import { AdminIcon, HelpIcon, MoonIcon, SearchIcon, SignOutIcon, SunIcon, SystemIcon, UserIcon } from '@/ui/icons'
import { Kbd } from '@/ui/layout'
import { Menu } from '@/ui/menu'
import { setTheme, useTheme, type Theme } from '@/ui/preferences'
import { LiveIndicator } from './live-indicator'
import { ProjectMenu } from './project-menu'

interface HeaderProps {
  onPalette: () => void
  onHelp: () => void
}

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent)

export function Header({ onPalette, onHelp }: HeaderProps) {
  const hasProject = currentProject(useSession()) !== undefined
  return (
    <header
      data-print="hide"
      className="sticky top-0 z-30 flex h-12 items-center gap-1 border-b border-line bg-surface px-3 md:gap-2 md:px-4"
    >
      <Link to="/" className="flex shrink-0 items-center gap-2 rounded-md text-14 font-semibold" aria-label="Linekeeper, Overview">
        <img src="/favicon.svg" alt="" className="size-5 shrink-0" />
        <span className="hidden lg:inline">Linekeeper</span>
      </Link>
      <ProjectMenu />
      <div className="ml-auto flex items-center gap-1">
        {hasProject && <LiveIndicator />}
        <Button size="sm" variant="quiet" onPress={onPalette} className="max-sm:hidden">
          <SearchIcon className="size-3.5" /> Go to
          <Kbd>{isMac ? '⌘K' : 'Ctrl K'}</Kbd>
        </Button>
        <IconButton label="Go to" size="sm" onPress={onPalette} className="sm:hidden">
          <SearchIcon />
        </IconButton>
        <ThemeMenu />
        <IconButton label="Keyboard help" size="sm" onPress={onHelp} className="max-sm:hidden">
          <HelpIcon />
        </IconButton>
        <UserMenu />
      </div>
    </header>
  )
}

const THEME_WORDS: Record<Theme, string> = { light: 'Light', dark: 'Dark', system: 'System' }
const THEME_ICONS = { light: SunIcon, dark: MoonIcon, system: SystemIcon }

function ThemeMenu() {
  const theme = useTheme()
  const Icon = THEME_ICONS[theme]
  const actions = (Object.keys(THEME_WORDS) as Theme[]).map((id) => {
    const ItemIcon = THEME_ICONS[id]
    return { id, label: THEME_WORDS[id], icon: <ItemIcon className="size-3.5" />, onAction: () => setTheme(id) }
  })
  return (
    <Menu label="Theme" actions={actions}>
      <IconButton label={`Theme: ${THEME_WORDS[theme]}`} size="sm">
        <Icon />
      </IconButton>
    </Menu>
  )
}

function initials(name: string): string {
  const letters = name.split(/\s+/).map((word) => word.charAt(0))
  return ((letters[0] ?? '') + (letters.length > 1 ? (letters.at(-1) ?? '') : '')).toUpperCase()
}

function UserMenu() {
  const { user } = useSession()
  const signOut = useSignOut()
  const navigate = useNavigate()
  if (!user) return null
  const actions = [
    { id: 'profile', label: 'Your profile', icon: <UserIcon className="size-3.5" />, onAction: () => void navigate({ to: '/profile' }) },
    ...(user.operator
      ? [{ id: 'admin', label: 'Admin', icon: <AdminIcon className="size-3.5" />, onAction: () => void navigate({ to: '/admin' }) }]
      : []),
    { id: 'sign-out', label: 'Sign out', icon: <SignOutIcon className="size-3.5" />, onAction: () => signOut.mutate() },
  ]
  return (
    <Menu label="Account" actions={actions}>
      <IconButton label={`Account: ${user.name}, ${user.email}`} size="sm" className="rounded-full! bg-n4 text-12! text-ink!">
        <span>{initials(user.name)}</span>
      </IconButton>
    </Menu>
  )
}
