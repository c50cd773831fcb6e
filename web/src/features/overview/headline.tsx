import { useQuery } from '@tanstack/react-query'
import { integrationsQuery } from '@/api/queries/integrations'
import { overviewQuery } from '@/api/queries/overview'
import type { Integration, Overview } from '@/api/types'
import { PageHead } from '@/ui/layout'
import { Skeleton } from '@/ui/states'
import { Ago } from '@/ui/time'

/** Integrations that need somebody, worst first, as the server ordered them. */
export function needy(overview: Overview, integrations: Integration[]): Integration[] {
  return overview.needsAttention.flatMap((id) => integrations.find((item) => item.id === id) ?? [])
}

/** How many integrations the sentence names before it says "and 3 more". */
const NAMED = 2

/** The page in one sentence: is anything wrong, and what. */
export function headline(total: number, troubled: Integration[]): [title: string, lead: string] {
  if (troubled.length === 0) {
    return [total === 1 ? 'Your integration is well' : `All ${total} integrations are well`, 'Nothing needs you.']
  }
  const named = troubled.slice(0, NAMED).map((item) => `${item.name}: ${lowerFirst(item.reasons[0]?.message ?? item.health)}`)
  const more = troubled.length - named.length
  const verb = troubled.length === 1 ? 'needs' : 'need'
  return [
    `${troubled.length} of ${total} ${total === 1 ? 'integration' : 'integrations'} ${verb} you`,
    `${named.map(withoutStop).join('; ')}${more > 0 ? `; and ${more} more` : ''}.`,
  ]
}

const withoutStop = (text: string) => text.replace(/\.$/, '')
/** "Refresh token was revoked" reads on after a colon; "API", "GL" and names keep their capitals. */
const lowerFirst = (text: string) =>
  /^[A-Z][a-z]+(?: (?!\d)[a-z]|$)/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text

export function Headline() {
  const { data: overview } = useQuery(overviewQuery)
  const { data: integrations } = useQuery(integrationsQuery)
  if (!overview || !integrations) {
    return (
      <div role="status" aria-label="Loading the overview" className="flex flex-col gap-2 py-0.5">
        <Skeleton className="h-6 w-72" />
        <Skeleton className="h-4 w-full max-w-xl" />
      </div>
    )
  }
  const [title, lead] = headline(integrations.length, needy(overview, integrations))
  return (
    <PageHead title={title} lead={lead}>
      <span className="text-12 text-muted max-sm:hidden">
        as of <Ago at={overview.generatedAt} />
      </span>
    </PageHead>
  )
}
