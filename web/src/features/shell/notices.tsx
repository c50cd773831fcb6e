import { useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { currentProject, useSession } from '@/api/queries/session'
import { usePageSearch } from '@/features/shared/url-state'

const FailedNotice = lazy(() => import('./failed-notice').then((module) => ({ default: module.FailedNotice })))
const Notice = lazy(() => import('./notice').then((module) => ({ default: module.Notice })))

/** Above the page: what happened to the person without their doing. */
export function Notices() {
  const [{ failed }] = usePageSearch()
  const { lost, project, dismiss } = useLostProject()
  return (
    <Suspense>
      {failed && <FailedNotice code={failed} />}
      {lost !== null && (
        <Notice onDismiss={dismiss}>
          You are no longer a member of {lost}. {project ? `What you see now is ${project.name}.` : 'To come back, you need a new invitation.'}
        </Notice>
      )}
    </Suspense>
  )
}

/** What does not belong to the project on screen. */
const OF_NO_PROJECT = new Set(['session', 'setup', 'profile', 'projects', 'users', 'providers'])

/** The project that was on screen until somebody took this person out of it; what they saw of it goes. */
function useLostProject() {
  const client = useQueryClient()
  const project = currentProject(useSession())
  const before = useRef(project)
  const [lost, setLost] = useState<string | null>(null)
  useEffect(() => {
    const was = before.current
    before.current = project
    if (!was || was.id === project?.id) return
    setLost(was.name)
    void client.resetQueries({ predicate: ({ queryKey }) => !OF_NO_PROJECT.has(String(queryKey[0])) })
  }, [client, project])
  return { lost, project, dismiss: () => setLost(null) }
}
