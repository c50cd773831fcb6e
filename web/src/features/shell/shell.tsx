import { useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useState, type ReactNode } from 'react'
import { focusSearch, moveRow, useHotkeys } from '@/ui/hotkeys'
import { Toasts } from '@/ui/toast'
import { Announcer } from './announcer'
import { Header } from './header'
import { LiveProvider } from './live'
import { Notices } from './notices'
import { Nav } from './nav'
import { SudoHost } from './sudo-host'

const Palette = lazy(() => import('./palette').then((module) => ({ default: module.Palette })))
const Help = lazy(() => import('./help').then((module) => ({ default: module.Help })))

type Overlay = 'palette' | 'help' | null

/** What surrounds every page: places, search, the live stream, the keyboard. */
export function Shell({ children }: { children: ReactNode }) {
  const [overlay, setOverlay] = useState<Overlay>(null)
  const navigate = useNavigate()
  const close = () => setOverlay(null)
  useHotkeys({
    'mod+k': () => setOverlay('palette'),
    '?': () => setOverlay('help'),
    '/': focusSearch,
    j: () => moveRow(1),
    k: () => moveRow(-1),
    'g o': () => void navigate({ to: '/' }),
    'g p': () => void navigate({ to: '/problems' }),
    'g e': () => void navigate({ to: '/events' }),
    'g i': () => void navigate({ to: '/integrations' }),
    'g s': () => void navigate({ to: '/settings' }),
    'g a': () => void navigate({ to: '/admin' }),
    'g u': () => void navigate({ to: '/profile' }),
  })
  return (
    <LiveProvider>
      <a
        href="#main"
        className="fixed top-2 left-2 z-50 -translate-y-16 rounded-md bg-accent-solid px-3 py-1.5 text-13 font-medium text-white focus:translate-y-0"
      >
        Skip to the content
      </a>
      <Header onPalette={() => setOverlay('palette')} onHelp={() => setOverlay('help')} />
      <div className="md:grid md:grid-cols-[3.5rem_minmax(0,1fr)] lg:grid-cols-[12.5rem_minmax(0,1fr)]">
        <Nav />
        <main id="main" tabIndex={-1} className="min-w-0 pb-20 outline-none md:pb-8">
          <Announcer />
          <Notices />
          {children}
        </main>
      </div>
      <Toasts />
      <SudoHost />
      <Suspense>
        {overlay === 'palette' && <Palette onClose={close} onHelp={() => setOverlay('help')} />}
        {overlay === 'help' && <Help onClose={close} />}
      </Suspense>
    </LiveProvider>
  )
}
