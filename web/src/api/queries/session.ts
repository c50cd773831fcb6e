import { queryOptions, useMutation, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { request, setCsrfToken, setProjectId } from '../client'
import { keys } from '../keys'
import type { Project, Session } from '../types'

const PROJECT_KEY = 'lk.project'

function adopt(session: Session): Session {
  setCsrfToken(session.csrfToken)
  setProjectId(currentProject(session)?.id ?? null)
  return session
}

/** The project on screen: the one chosen last, if it is still ours, else the first. */
export function currentProject(session: Session): Session['projects'][number] | undefined {
  const chosen = localStorage.getItem(PROJECT_KEY)
  return session.projects.find((project) => project.id === chosen) ?? session.projects[0]
}

export const sessionQuery = queryOptions({
  queryKey: keys.session,
  queryFn: ({ signal }) => request<Session>('GET', '/api/session', { signal }).then(adopt),
  staleTime: 300_000,
})
export const setupQuery = queryOptions({
  queryKey: keys.setup,
  queryFn: ({ signal }) => request<{ needed: boolean }>('GET', '/api/setup', { signal }),
})

/** The signed-in session; only used below the guard that has fetched it. */
export function useSession(): Session {
  const { data } = useQuery(sessionQuery)
  return data ?? { user: null, apiKey: null, projects: [], csrfToken: null }
}

/** Whether the viewer may change problems, integrations or the project's settings. */
export function useRole() {
  const session = useSession()
  const role = currentProject(session)?.role ?? 'viewer'
  const admin = role === 'owner' || role === 'admin' || session.user?.operator === true
  return { canTriage: admin || role === 'editor', canConfigure: admin }
}

function useEnter<T>(path: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: T) => request<Session>('POST', path, { body }),
    onSuccess: (session) => enter(client, session),
  })
}
function enter(client: QueryClient, session: Session) {
  client.clear()
  client.setQueryData(keys.session, adopt(session))
}

export const useSignIn = () => useEnter<{ email: string; password: string }>('/api/session')
export const useSetup = () => useEnter<{ token: string; email: string; name: string; password: string }>('/api/setup')

export function useSignOut() {
  return useMutation({
    mutationFn: () => request<void>('DELETE', '/api/session'),
    // A full load drops every cached answer and closes the stream with the session.
    onSuccess: () => globalThis.location.assign('/sign-in'),
  })
}

/** Shows another project: what is cached belongs to the one before. */
export function switchProject(project: Project) {
  localStorage.setItem(PROJECT_KEY, project.id)
  globalThis.location.assign('/')
}
