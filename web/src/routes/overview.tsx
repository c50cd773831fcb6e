import { useQuery } from '@tanstack/react-query'
import { integrationsQuery } from '@/api/queries/integrations'
import { EventStream } from '@/features/events/stream'
import { IntegrationCards } from '@/features/integrations/cards'
import { DemoBanner } from '@/features/overview/demo-banner'
import { Headline } from '@/features/overview/headline'
import { HealthSummary } from '@/features/overview/health-summary'
import { NeedsYou } from '@/features/overview/needs-you'
import { Welcome } from '@/features/overview/welcome'
import { Triage } from '@/features/problems/triage'
import { eventFilters, usePageSearch } from '@/features/shared/url-state'
import { Page } from '@/ui/layout'

/** First what is wrong, then what to do, then the numbers, then the raw data. */
export function OverviewRoute() {
  const [search, setSearch] = usePageSearch()
  const { data: integrations } = useQuery(integrationsQuery)
  if (integrations?.length === 0) {
    return (
      <Page narrow>
        <Welcome />
      </Page>
    )
  }
  return (
    <Page>
      <Headline />
      <DemoBanner />
      <div className="flex flex-col gap-4 max-md:flex-col-reverse">
        <HealthSummary />
        <NeedsYou />
      </div>
      <IntegrationCards />
      <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,2fr)_minmax(0,3fr)]">
        <Triage />
        <EventStream title="Live events" filters={eventFilters(search)} onFilters={setSearch} bounded />
      </div>
    </Page>
  )
}
