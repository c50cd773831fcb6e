import { queryOptions, useMutation, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { request, setCsrfToken, setProjectId } from '../client'
import { keys } from '../keys'
import type { Project, Role, Session } from '../types'

const PROJECT_KEY = 'lk.project'
const NOBODY: Session = { user: null, apiKey: null, projects: [], csrfToken: null, sudoUntil: null, sudo: null }

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
  return data ?? NOBODY
}

/** What the viewer may do in the project on screen; every control that not everybody may use asks here. */
export function useRole() {
  const session = useSession()
  const role: Role | null = currentProject(session)?.role ?? null
  // Whoever runs the installation may do everything in every project.
  const isOperator = session.user?.operator === true
  const canOwn = role === 'owner' || isOperator
  const canConfigure = canOwn || role === 'admin'
  return { role, isOperator, canTriage: canConfigure || role === 'editor', canConfigure, canOwn }
}

/** Begins anew as somebody else: nothing that is cached belongs to them. */
export function enter(client: QueryClient, session: Session) {
  client.clear()
  client.setQueryData(keys.session, adopt(session))
}

export function useSignIn() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: { email: string; password: string; code?: string }) => request('post', '/api/session', { body }),
    onSuccess: (session) => enter(client, session),
  })
}

/** Proves that it is still the same person, for the quarter of an hour that follows. */
export function useProveSudo() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: { password: string; code?: string }) => request('post', '/api/session/sudo', { body }),
    onSuccess: (session) => void client.setQueryData(keys.session, adopt(session)),
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

/** What is known without being signed in. */
const OF_NOBODY = new Set(['session', 'setup', 'invitation'])

/** Signs out and stays on the page, for somebody else to go on there. */
export function useStepAside() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => request('delete', '/api/session', {}),
    onSuccess: () => {
      client.removeQueries({ predicate: (query) => !OF_NOBODY.has(String(query.queryKey[0])) })
      client.setQueryData(keys.session, adopt(NOBODY))
    },
  })
}

/** From now on this is the project on screen. */
export const chooseProject = (id: string) => localStorage.setItem(PROJECT_KEY, id)

/** Shows another project: what is cached belongs to the one before. */
export function switchProject(project: Pick<Project, 'id'>, path = '/') {
  chooseProject(project.id)
  globalThis.location.assign(path)
}
