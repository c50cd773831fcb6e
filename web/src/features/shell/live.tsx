import { useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { createContext, use, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { LiveStream, type StreamState } from '@/api/events'
import { keys } from '@/api/keys'
import { applyMessages } from '@/api/patch'
import { integrationsQuery } from '@/api/queries/integrations'
import { currentProject, useSession } from '@/api/queries/session'
import type { SseMessage } from '@/api/sse'
import type { Integration, IntegrationStatus, List, StreamedEvent } from '@/api/types'
import { notify } from './notifications'

/** An integration that went down while somebody was looking. */
export interface DownNotice {
  id: string
  name: string
  reason: string
}
interface Live {
  state: StreamState
  down: DownNotice[]
  dismiss: (id: string) => void
}

const LiveContext = createContext<Live>({ state: 'connecting', down: [], dismiss: () => undefined })
export const useLive = () => use(LiveContext)

const NOTHING: [] = []
/** Numbers that only the server can compute are asked for again at most this often. */
const REFETCH_MS = 2000

/** Keeps the stream open while someone is signed in, and the cache patched by it. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient()
  const projectId = currentProject(useSession())?.id ?? null
  const [state, setState] = useState<StreamState>('connecting')
  const [down, setDown] = useState<DownNotice[]>([])
  const refetch = useThrottled(REFETCH_MS)
  // A change to down is named on every page, also on those that list no integrations.
  useQuery({ ...integrationsQuery, enabled: projectId !== null, notifyOnChangeProps: NOTHING })

  useEffect(() => {
    // Who belongs to no project yet has nothing to listen to.
    if (projectId === null) return
    const stream = new LiveStream(
      {
        onState: (next) => {
          setState(next)
          if (next === 'signed-out') void client.invalidateQueries({ queryKey: keys.session })
        },
        onRights: () => void client.invalidateQueries({ queryKey: keys.session }),
        onStale: () => void client.invalidateQueries({ predicate: isLiveData }),
        onMessages: (messages) => {
          const changes = healthChanges(client, messages)
          if (changes.length > 0) setDown((before) => withChanges(before, changes))
          for (const notice of changes.filter(isFall).map(noticeOf)) notify(notice)
          applyMessages(client, messages)
          if (messages.some(needsServer)) refetch(() => refetchComputed(client))
        },
      },
      projectId,
    )
    return () => stream.close()
  }, [client, projectId, refetch])

  const live = useMemo(
    () => ({ state, down, dismiss: (id: string) => setDown((before) => before.filter((notice) => notice.id !== id)) }),
    [state, down],
  )
  return <LiveContext value={live}>{children}</LiveContext>
}

const LIVE_ROOTS = new Set(['overview', 'integrations', 'integration', 'events', 'problems', 'problem'])
const isLiveData = (query: { queryKey: readonly unknown[] }) => LIVE_ROOTS.has(String(query.queryKey[0]))

/** A failure may open a problem and a status changes what needs attention: both are the server's to say. */
function needsServer(message: SseMessage): boolean {
  if (message.event === 'status') return true
  return message.event === 'event' && (JSON.parse(message.data) as StreamedEvent).status === 'failure'
}
function refetchComputed(client: QueryClient) {
  void client.invalidateQueries({ queryKey: keys.overview })
  void client.invalidateQueries({ queryKey: keys.allProblems })
  void client.invalidateQueries({ queryKey: ['problem'] })
  void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === 'integration' && queryKey[2] === 'health' })
}

type Change = IntegrationStatus & { name: string; before: Integration['health'] }

/** Transitions in these messages, judged against the cache before it is patched. */
function healthChanges(client: QueryClient, messages: SseMessage[]): Change[] {
  const known = client.getQueryData<List<Integration>>(keys.integrations)?.items ?? []
  return messages.flatMap((message) => {
    if (message.event !== 'status') return []
    const status = JSON.parse(message.data) as IntegrationStatus
    const integration = known.find((item) => item.id === status.id)
    if (!integration) void client.invalidateQueries({ queryKey: keys.integrations })
    if (!integration || integration.health === status.health) return []
    return [{ ...status, name: integration.name, before: integration.health }]
  })
}

const isFall = (change: Change) => change.health === 'down'
const noticeOf = ({ id, name, reasons }: Change): DownNotice => ({ id, name, reason: reasons[0]?.message ?? 'No reason is known yet.' })

function withChanges(notices: DownNotice[], changes: Change[]): DownNotice[] {
  const changed = new Set(changes.map((change) => change.id))
  return [...changes.filter(isFall).map(noticeOf), ...notices.filter((notice) => !changed.has(notice.id))]
}

/** Runs the task now or, when it ran lately, once at the end of the interval. */
function useThrottled(ms: number) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const last = useRef(0)
  useEffect(() => () => clearTimeout(timer.current), [])
  return useMemo(
    () => (task: () => void) => {
      clearTimeout(timer.current)
      const wait = Math.max(0, last.current + ms - performance.now())
      timer.current = setTimeout(() => {
        last.current = performance.now()
        task()
      }, wait)
    },
    [ms],
  )
}
