import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'
import { ApiError, hasCode } from './error'
import { keys } from './keys'

const RETRIES = 2
/** The live stream keeps data fresh, so a remount refetches only what is older than this. */
const STALE_MS = 30_000

/** Retries what may pass (no answer, 5xx); a 4xx is an answer. */
function shouldRetry(failures: number, error: Error): boolean {
  const transient = !(error instanceof ApiError) || error.status === 0 || error.status >= 500
  return transient && failures < RETRIES
}

export function createQueryClient(): QueryClient {
  /** The session has ended: whoever is here is sent to sign in. */
  const askAgain = (error: Error) => {
    if (hasCode(error, 'unauthenticated')) void client.invalidateQueries({ queryKey: keys.session })
  }
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error, query) => {
        if (query.queryKey[0] !== 'session') askAgain(error)
      },
    }),
    mutationCache: new MutationCache({ onError: askAgain }),
    defaultOptions: { queries: { retry: shouldRetry, staleTime: STALE_MS } },
  })
  return client
}
