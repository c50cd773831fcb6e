import { useQuery } from '@tanstack/react-query'
import { integrationsQuery } from '@/api/queries/integrations'
import { overviewQuery } from '@/api/queries/overview'
import { problemsQuery } from '@/api/queries/problems'
import type { Integration, Problem } from '@/api/types'
import { HEALTH_WORDS } from '@/api/words'
import { ProviderIcon } from '@/provider/provider-icon'
import { LinkButton } from '@/ui/button'
import { plural } from '@/ui/format'
import { Panel } from '@/ui/layout'
import { TextLink } from '@/ui/link'
import { HealthShape } from '@/ui/status'
import { Since } from '@/ui/time'
import { needy } from './headline'

/** What is wrong, worst first: since when, why, what it costs, and the one button that helps. Absent when all is well. */
export function NeedsYou() {
  const { data: overview } = useQuery(overviewQuery)
  const { data: integrations } = useQuery(integrationsQuery)
  const { data: problems } = useQuery(problemsQuery({ state: 'open' }))
  const troubled = overview && integrations ? needy(overview, integrations) : []
  if (troubled.length === 0) return null
  return (
    <Panel id="needs-you" title="Needs you">
      <ul className="divide-y divide-line">
        {troubled.map((integration) => (
          <NeedyItem
            key={integration.id}
            integration={integration}
            problem={problems?.find((problem) => problem.integrationId === integration.id)}
          />
        ))}
      </ul>
    </Panel>
  )
}

function NeedyItem({ integration, problem }: { integration: Integration; problem: Problem | undefined }) {
  const [first, ...others] = integration.reasons
  return (
    <li className="grid grid-cols-[auto_auto_minmax(0,1fr)] items-start gap-x-3 gap-y-2 px-4 py-3 md:grid-cols-[auto_auto_minmax(0,1fr)_auto]">
      <HealthShape health={integration.health} className="mt-2" />
      <ProviderIcon provider={integration.provider} name={integration.name} size="md" />
      <div className="min-w-0">
        <p className="flex flex-wrap items-baseline gap-x-2 text-14">
          <TextLink to="/integrations/$id" params={{ id: integration.id }} className="font-semibold text-ink!">
            {integration.name}
          </TextLink>
          <span className="text-13 text-muted">
            {HEALTH_WORDS[integration.health].toLowerCase()} <Since at={integration.healthSince} />
          </span>
          {first && <span className="min-w-0 basis-full text-pretty sm:basis-auto">{first.message}</span>}
        </p>
        <p className="mt-0.5 text-13 text-pretty text-muted">
          {problem
            ? `${problem.classification.businessImpact} ${problem.classification.suggestedFix}`
            : others.map((reason) => reason.message).join(' ')}
        </p>
        {integration.openProblems > 0 && (
          <p className="mt-0.5 text-12 text-muted">
            {plural(integration.openProblems, 'open problem')}
            {integration.record24h.errors > 0 && `, ${plural(integration.record24h.errors, 'failure')} in 24 h`}
          </p>
        )}
      </div>
      <div className="col-start-3 md:col-start-auto md:self-center">
        {problem ? (
          <LinkButton to="/problems/$id" params={{ id: problem.id }} size="sm">
            See the fix
          </LinkButton>
        ) : (
          <LinkButton to="/integrations/$id" params={{ id: integration.id }} size="sm">
            Look at it
          </LinkButton>
        )}
      </div>
    </li>
  )
}
