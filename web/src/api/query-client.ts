import { QueryCache, QueryClient } from '@tanstack/react-query'
import { ApiError } from './error'
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
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error, query) => {
        const expired = error instanceof ApiError && error.status === 401
        if (expired && query.queryKey[0] !== 'session') void client.invalidateQueries({ queryKey: keys.session })
      },
    }),
    defaultOptions: { queries: { retry: shouldRetry, staleTime: STALE_MS } },
  })
  return client
}
