import type { UseQueryResult } from '@tanstack/react-query'
import { ApiError } from '@/api/error'
import type { IntegrationHealth } from '@/api/types'
import { formatHour } from '@/ui/format'
import { HealthShape } from '@/ui/status'

/** Said above what is old: as of when it is, and why nothing newer can be had. */
export function StaleMark({ query }: { query: Pick<UseQueryResult<IntegrationHealth>, 'data' | 'error'> }) {
  const { data, error } = query
  const why = data?.current.stale ? 'we cannot reach the database' : error && data ? reasonOf(error) : null
  if (!data || !why) return null
  return (
    <p role="status" className="flex items-center gap-2 rounded-md bg-warn-wash px-3 py-1.5 text-13">
      <HealthShape health="degraded" />
      <span>
        as of <time dateTime={data.current.asOf}>{formatHour(data.current.asOf)}</time>, {why}
      </span>
    </p>
  )
}

const reasonOf = (error: Error) => (error instanceof ApiError && error.status > 0 ? 'Linekeeper could not answer just now' : 'Linekeeper cannot be reached')
