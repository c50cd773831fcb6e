import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { overviewQuery } from '@/api/queries/overview'
import { currentProject, useSession } from '@/api/queries/session'
import { cx } from '@/ui/cx'
import { formatCount } from '@/ui/format'
import { AdminIcon, EventsIcon, IntegrationsIcon, OverviewIcon, ProblemsIcon, SettingsIcon } from '@/ui/icons'

const PLACES = [
  { to: '/', label: 'Overview', key: 'o', icon: OverviewIcon },
  { to: '/problems', label: 'Problems', key: 'p', icon: ProblemsIcon },
  { to: '/events', label: 'Events', key: 'e', icon: EventsIcon },
  { to: '/integrations', label: 'Integrations', key: 'i', icon: IntegrationsIcon },
  { to: '/settings', label: 'Settings', key: 's', icon: SettingsIcon },
] as const

const ADMIN = { to: '/admin', label: 'Admin', key: 'a', icon: AdminIcon } as const

/** Where this person can go: a project's pages for its members, the installation's for those who run it. */
export function usePlaces() {
  const session = useSession()
  return [...(currentProject(session) ? PLACES : []), ...(session.user?.operator ? [ADMIN] : [])]
}

/** The places: at the left, and at phone width along the bottom. */
export function Nav() {
  const places = usePlaces()
  const { data: overview } = useQuery({ ...overviewQuery, enabled: places.length > 1 })
  return (
    <nav
      aria-label="Main"
      data-print="hide"
      className="fixed inset-x-0 bottom-0 z-30 border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] md:sticky md:inset-auto md:top-12 md:h-[calc(100dvh-3rem)] md:self-start md:border-t-0 md:border-r md:p-2 md:pb-2"
    >
      <ul className="grid grid-cols-5 md:flex md:flex-col md:gap-0.5">
        {places.map((place) => (
          // On a phone there is room for five; Admin is in the account menu there.
          <li key={place.to} className={cx(place.to === '/admin' && 'max-md:hidden md:mt-2 md:border-t md:border-line md:pt-2')}>
            <Link
              to={place.to}
              title={place.label}
              activeOptions={{ exact: place.to === '/', includeSearch: false }}
              activeProps={{ 'aria-current': 'page' }}
              className="group relative flex flex-col items-center gap-0.5 py-1.5 text-12 text-muted focus-inset hover:text-ink aria-[current]:text-ink md:h-8 md:flex-row md:justify-center md:gap-2.5 md:rounded-md md:px-2.5 md:py-0 md:text-13 md:hover:bg-n3 md:aria-[current]:bg-n4 md:aria-[current]:font-medium lg:justify-start"
            >
              <place.icon className="size-4 group-aria-[current]:text-accent" />
              <span className="max-w-full truncate md:max-lg:sr-only">{place.label}</span>
              {place.to === '/problems' && overview && overview.openProblems > 0 && <Count>{overview.openProblems}</Count>}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function Count({ children }: { children: number }): ReactNode {
  return (
    <span className="absolute top-0.5 left-1/2 ml-1.5 rounded-full bg-n4 px-1 text-12 leading-4 text-ink md:max-lg:top-0 md:max-lg:ml-1 lg:static lg:ml-auto lg:bg-transparent lg:text-muted">
      {formatCount(children)}
      <span className="sr-only"> open</span>
    </span>
  )
}
