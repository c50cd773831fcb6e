import { EventStream } from '@/features/events/stream'
import { eventFilters, usePageSearch } from '@/features/shared/url-state'
import { Page, PageHead } from '@/ui/layout'

export function EventsRoute() {
  const [search, setSearch] = usePageSearch()
  return (
    <Page>
      <PageHead title="Events" lead="Everything that arrived, newest first. The address holds the filters, so a view can be shared." />
      <EventStream title="All events" filters={eventFilters(search)} onFilters={setSearch} />
    </Page>
  )
}
