import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { currentProject, useSession } from '@/api/queries/session'
import { Notice } from './notice'

/** What does not belong to the project on screen. */
const OF_NO_PROJECT = new Set(['session', 'setup', 'profile', 'projects', 'users', 'providers'])

/** Somebody took this person out of the project on screen: what they saw of it goes, and they are told. */
export function LostProject() {
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
  if (lost === null) return null
  return (
    <Notice onDismiss={() => setLost(null)}>
      You are no longer a member of {lost}. {project ? `What you see now is ${project.name}.` : 'To come back, you need a new invitation.'}
    </Notice>
  )
}
