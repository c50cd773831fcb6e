import { useQuery } from '@tanstack/react-query'
import { Outlet, useLocation, useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
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
  if (session && !session.user) return <SignInAgain />
  const projectless = session !== undefined && !currentProject(session) && !WITHOUT_PROJECT.has(location.pathname)
  return (
    <Shell>
      {projectless ? <NoProject /> : <Outlet />}
      <Suspense>{event && <EventDrawer key={event} id={event} />}</Suspense>
    </Shell>
  )
}

/** The session ended while the page was open, after the guard had run: to the sign-in page, once, and back here from it. */
function SignInAgain() {
  const navigate = useNavigate()
  const { href } = useLocation()
  const [next] = useState(href)
  useEffect(() => void navigate({ to: '/sign-in', search: { next } }), [navigate, next])
  return null
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
