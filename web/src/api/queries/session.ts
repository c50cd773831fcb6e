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
  queryFn: ({ signal }) => request('get', '/api/session', { signal }).then(adopt),
  staleTime: 300_000,
})
export const setupQuery = queryOptions({
  queryKey: keys.setup,
  queryFn: ({ signal }) => request('get', '/api/setup', { signal }),
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

function enter(client: QueryClient, session: Session) {
  client.clear()
  client.setQueryData(keys.session, adopt(session))
}

export function useSignIn() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: { email: string; password: string }) => request('post', '/api/session', { body }),
    onSuccess: (session) => enter(client, session),
  })
}
export function useSetup() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: { token: string; email: string; name: string; password: string }) =>
      request('post', '/api/setup', { body }),
    onSuccess: (session) => enter(client, session),
  })
}

export function useSignOut() {
  return useMutation({
    mutationFn: () => request('delete', '/api/session', {}),
    // A full load drops every cached answer and closes the stream with the session.
    onSuccess: () => globalThis.location.assign('/sign-in'),
  })
}

/** Shows another project: what is cached belongs to the one before. */
export function switchProject(project: Project) {
  localStorage.setItem(PROJECT_KEY, project.id)
  globalThis.location.assign('/')
}
