import { useQuery } from '@tanstack/react-query'
import { Navigate, Outlet, useLocation, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useRef } from 'react'
import { currentProject, sessionQuery } from '@/api/queries/session'
import { NoProject } from '@/features/shell/no-project'
import { Shell } from '@/features/shell/shell'

const EventDrawer = lazy(() => import('@/features/events/drawer').then((module) => ({ default: module.EventDrawer })))

/** The pages about people, not about a project. */
const WITHOUT_PROJECT = new Set(['/profile', '/admin'])

/** The shell around every page, with the event drawer that any page can open by `?event=`. */
export function AppLayout() {
  const { event }: { event?: string } = useSearch({ strict: false })
  const { data: session } = useQuery(sessionQuery)
  const location = useLocation()
  useFocusOnArrival(location.pathname)
  // The session ended while the page was open: the guard ran before that.
  if (session && !session.user) return <Navigate to="/sign-in" search={{ next: location.href }} />
  const projectless = session !== undefined && !currentProject(session) && !WITHOUT_PROJECT.has(location.pathname)
  return (
    <Shell>
      {projectless ? <NoProject /> : <Outlet />}
      <Suspense>{event && <EventDrawer key={event} id={event} />}</Suspense>
    </Shell>
  )
}

/** On another page, focus goes to its content, so that screen readers start there and the next Tab does too. */
function useFocusOnArrival(pathname: string) {
  const before = useRef(pathname)
  useEffect(() => {
    if (before.current === pathname) return
    before.current = pathname
    const main = document.getElementById('main')
    // A list beside what it opens keeps the focus.
    if (!main?.contains(document.activeElement)) main?.focus({ preventScroll: true })
  }, [pathname])
}
