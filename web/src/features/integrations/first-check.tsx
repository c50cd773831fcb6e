import { useQuery } from '@tanstack/react-query'
import { healthQuery } from '@/api/queries/health'
import type { HealthNow, Integration } from '@/api/types'
import { formatTook } from '@/ui/format'
import { CheckIcon } from '@/ui/icons'
import { Panel } from '@/ui/layout'
import { TextLink } from '@/ui/link'
import { HealthShape } from '@/ui/status'
import { CheckNow } from './check-now'
import { Ladder } from './ladder'

/** The first check follows within seconds; this is how often we ask for its result. */
const ASK_MS = 2000

/** Whether the provider lets us in: the result of the first check. */
export function FirstCheck({ integration }: { integration: Integration }) {
  const query = useQuery({ ...healthQuery(integration.id), refetchInterval: ({ state }) => (state.data?.current.lastCheckAt ? false : ASK_MS) })
  return (
    <Panel id="first-check" title="First check">
      <Result integration={integration} current={query.data?.current} />
    </Panel>
  )
}

function Result({ integration, current }: { integration: Integration; current: HealthNow | undefined }) {
  if (!current?.lastCheckAt) {
    return (
      <div role="status" className="flex items-center gap-3 p-4 text-13">
        <span aria-hidden="true" className="size-2.5 rounded-full bg-accent-solid breathe" />
        Waiting for the first check; this page notices by itself.
      </div>
    )
  }
  return (
    <>
      <div role="status" className="flex flex-wrap items-center gap-3 border-b border-line p-4 text-13">
        {current.errorMessage ? <HealthShape health="down" /> : <Tick />}
        <p className="min-w-0 flex-1 basis-64 text-pretty">
          {current.errorMessage ? (
            <>
              <strong className="font-semibold">It does not work yet.</strong> {current.errorMessage}{' '}
              <TextLink to="/integrations/$id" params={{ id: integration.id }}>
                What to do
              </TextLink>
            </>
          ) : (
            <>
              <strong className="font-semibold">It works.</strong> The first check took {formatTook(current.responseTimeMs ?? 0)}
              {current.account && <>, as {current.account}</>}.
            </>
          )}
        </p>
        {current.errorMessage && <CheckNow integration={integration} />}
      </div>
      <Ladder current={current} />
    </>
  )
}

function Tick() {
  return (
    <span className="inline-flex size-6 items-center justify-center rounded-full bg-ok-wash text-ok">
      <CheckIcon />
    </span>
  )
}
