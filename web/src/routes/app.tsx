import { useQuery } from '@tanstack/react-query'
import { Navigate, Outlet, useLocation, useSearch } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { sessionQuery } from '@/api/queries/session'
import { Shell } from '@/features/shell/shell'

const EventDrawer = lazy(() => import('@/features/events/drawer').then((module) => ({ default: module.EventDrawer })))

/** The shell around every page, with the event drawer that any page can open by `?event=`. */
export function AppLayout() {
  const { event }: { event?: string } = useSearch({ strict: false })
  const { data: session } = useQuery(sessionQuery)
  const location = useLocation()
  // The session ended while the page was open: the guard ran before that.
  if (session && !session.user) return <Navigate to="/sign-in" search={{ next: location.href }} />
  return (
    <Shell>
      <Outlet />
      <Suspense>{event && <EventDrawer key={event} id={event} />}</Suspense>
    </Shell>
  )
}
