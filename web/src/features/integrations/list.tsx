import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { integrationsQuery } from '@/api/queries/integrations'
import { useRole } from '@/api/queries/session'
import type { Health, Integration } from '@/api/types'
import { HEALTH_ORDER, HEALTH_WORDS } from '@/api/words'
import { ProviderIcon } from '@/provider/provider-icon'
import { Bars } from '@/ui/bars'
import { Button, LinkButton } from '@/ui/button'
import { SearchField } from '@/ui/field'
import { formatPercent, formatTook, plural } from '@/ui/format'
import { PlusIcon } from '@/ui/icons'
import { Page, PageHead, Panel, Tag } from '@/ui/layout'
import { Select } from '@/ui/select'
import { Empty, Loaded, SkeletonRows } from '@/ui/states'
import { HealthChip } from '@/ui/status'
import { Ago } from '@/ui/time'
import { DemoButton } from '@/features/shared/demo'
import { byTrouble } from './cards'

const ANY = 'any'
const HEALTH_OPTIONS = [{ id: ANY, label: 'Any health' }, ...HEALTH_ORDER.map((id) => ({ id, label: HEALTH_WORDS[id] }))]

/** Every integration of the project as one table, worst first. */
export function IntegrationsPage() {
  const query = useQuery(integrationsQuery)
  const { canConfigure } = useRole()
  const [text, setText] = useState('')
  const { health }: { health?: Health } = useSearch({ strict: false })
  const navigate = useNavigate()
  const setHealth = (id: string) =>
    void navigate({ to: '/integrations', search: id === ANY ? {} : { health: id as Health }, replace: true })
  const needle = text.toLowerCase()
  const isShown = (item: Integration) =>
    (!health || item.health === health) && `${item.name} ${item.providerName}`.toLowerCase().includes(needle)
  return (
    <Page>
      <PageHead title="Integrations" lead={query.data && plural(query.data.length, 'integration')}>
        {canConfigure && (
          <LinkButton to="/integrations/new" variant="primary">
            <PlusIcon /> Add integration
          </LinkButton>
        )}
      </PageHead>
      <Panel className="@container">
        <div className="flex flex-wrap items-center gap-2 border-b border-line px-4 py-2">
          <SearchField id="search" label="Search integrations" placeholder="Search" value={text} onChange={setText} className="w-56" />
          <Select look="filter" label="Health" options={HEALTH_OPTIONS} value={health ?? ANY} onChange={setHealth} />
        </div>
        <Loaded query={query} loading={<SkeletonRows rows={6} label="Loading integrations" />}>
          {(integrations) => {
            const shown = integrations.filter(isShown).toSorted(byTrouble)
            if (integrations.length === 0) return <NoIntegrations canConfigure={canConfigure} />
            if (shown.length > 0) return <Table integrations={shown} />
            const clear = () => {
              setText('')
              setHealth(ANY)
            }
            return <Empty title="No integration matches" actions={<Button onPress={clear}>Clear the filters</Button>} />
          }}
        </Loaded>
      </Panel>
    </Page>
  )
}

function NoIntegrations({ canConfigure }: { canConfigure: boolean }) {
  const actions = canConfigure && (
    <>
      <LinkButton to="/integrations/new" variant="primary">
        Add the first integration
      </LinkButton>
      <DemoButton />
    </>
  )
  return (
    <Empty title="No integrations yet" actions={actions}>
      Add the first, or load the demo to look around.
    </Empty>
  )
}

const COLUMNS = 'grid grid-cols-[auto_minmax(0,1fr)_auto] items-center gap-x-3 px-4 @3xl:grid-cols-[auto_minmax(0,1fr)_6.5rem_3rem_6rem_4rem_4rem_5.5rem] @3xl:gap-x-5 @5xl:grid-cols-[auto_minmax(0,1fr)_6.5rem_3rem_9rem_4rem_4rem_4.5rem_5.5rem_5.5rem]'

function Table({ integrations }: { integrations: Integration[] }) {
  return (
    <>
      <div aria-hidden="true" className={`${COLUMNS} hidden border-b border-line py-1.5 text-12 text-muted @3xl:grid`}>
        <span className="size-7" />
        <span>Name</span>
        <span>Health</span>
        <span className="text-right">Score</span>
        <span>Last 24 hours</span>
        <span className="text-right">Success</span>
        <span className="text-right">Problems</span>
        <span className="hidden text-right @5xl:inline">Response</span>
        <span className="text-right">Last success</span>
        <span className="hidden text-right @5xl:inline">Last check</span>
      </div>
      <ul aria-label="Integrations, worst first" className="divide-y divide-line">
        {integrations.map((integration) => (
          <li key={integration.id}>
            <Link to="/integrations/$id" params={{ id: integration.id }} data-row className={`${COLUMNS} min-h-12 py-2 focus-inset hover:bg-n3`}>
              <Cells integration={integration} />
            </Link>
          </li>
        ))}
      </ul>
    </>
  )
}

function Cells({ integration }: { integration: Integration }) {
  const { successRate } = integration.record24h
  return (
    <>
      <ProviderIcon provider={integration.provider} name={integration.name} size="md" />
      <span className="min-w-0">
        <span className="flex items-center gap-2">
          <span className="truncate text-13 font-medium">{integration.name}</span>
          {!integration.enabled && <Tag>Disabled</Tag>}
          {integration.demo && <Tag>Demo</Tag>}
        </span>
        <span className="block truncate text-12 text-muted">{integration.reasons[0]?.message ?? integration.providerName}</span>
      </span>
      <span>
        <HealthChip health={integration.health} />
      </span>
      <span className="hidden text-right text-13 @3xl:inline">
        <span className="sr-only">Score </span>
        {integration.score ?? '–'}
      </span>
      <span className="hidden @3xl:inline">
        <Bars buckets={integration.sparkline} label="Events per hour" className="h-6" />
      </span>
      <span className="hidden text-right text-13 @3xl:inline">{successRate === null ? '–' : formatPercent(successRate)}</span>
      <span className="hidden text-right text-13 @3xl:inline">
        {integration.openProblems || <span className="text-muted">0</span>}
        <span className="sr-only"> open problems</span>
      </span>
      <span className="hidden text-right text-13 @5xl:inline">
        <span className="sr-only">Response time </span>
        {typeof integration.responseTimeMs === 'number' ? formatTook(integration.responseTimeMs) : '–'}
      </span>
      <span className="hidden text-right text-12 text-muted @3xl:inline">
        <span className="sr-only">Last success </span>
        {integration.lastSuccessAt ? <Ago at={integration.lastSuccessAt} /> : 'never'}
      </span>
      <span className="hidden text-right text-12 text-muted @5xl:inline">
        <span className="sr-only">Last check </span>
        {integration.lastCheckAt ? <Ago at={integration.lastCheckAt} /> : 'never'}
      </span>
    </>
  )
}
