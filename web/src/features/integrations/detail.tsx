import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { healthFile, healthQuery, type FileFormat } from '@/api/queries/health'
import { integrationQuery } from '@/api/queries/integrations'
import type { IntegrationDetail } from '@/api/types'
import { bringIntoView } from '@/features/shared/side-tabs'
import { keepPage, usePageSearch } from '@/features/shared/url-state'
import { ProviderIcon } from '@/provider/provider-icon'
import { IconButton } from '@/ui/button'
import { copyText } from '@/ui/copy'
import { cx } from '@/ui/cx'
import { formatCount } from '@/ui/format'
import { MoreIcon } from '@/ui/icons'
import { Page, Panel, Tag } from '@/ui/layout'
import { Menu } from '@/ui/menu'
import { Loaded, SkeletonRows } from '@/ui/states'
import { HealthChip } from '@/ui/status'
import { Ago, Since } from '@/ui/time'
import { useTitle } from '@/ui/title'
import { toast } from '@/ui/toast'
import { CheckNow } from './check-now'
import { EventsTab, ProblemsTab } from './detail-lists'
import { HealthTab } from './health-tab'
import { ScoreChip } from './score'
import { SettingsTab } from './settings-tab'
import { WebhookTab } from './webhook-tab'

const TABS = ['health', 'events', 'problems', 'webhook', 'settings'] as const
type Tab = (typeof TABS)[number]
const TAB_WORDS: Record<Tab, string> = {
  health: 'Health',
  events: 'Events',
  problems: 'Problems',
  webhook: 'Webhook',
  settings: 'Settings',
}

/** One integration; its parts are tabs in the address. */
export function IntegrationPage({ id }: { id: string }) {
  const query = useQuery(integrationQuery(id))
  return (
    <Page>
      <Loaded
        query={query}
        loading={
          <Panel>
            <SkeletonRows rows={8} label="Loading the integration" />
          </Panel>
        }
      >
        {(integration) => <Detail integration={integration} />}
      </Loaded>
    </Page>
  )
}

function Detail({ integration }: { integration: IntegrationDetail }) {
  const [search] = usePageSearch()
  const tabs = TABS.filter((tab) => tab !== 'webhook' || integration.webhook)
  const tab = tabs.find((item) => item === search.tab) ?? 'health'
  return (
    <>
      <Head integration={integration} />
      <nav aria-label="Parts of this integration" className="-mx-4 overflow-x-auto border-b border-line px-4 scroll-thin md:mx-0 md:px-0" data-print="hide">
        <ul className="flex gap-1">
          {tabs.map((item) => (
            <li key={item} ref={item === tab ? bringIntoView : null}>
              <Link
                {...keepPage(() => ({ tab: item === 'health' ? undefined : item }))}
                aria-current={item === tab ? 'page' : undefined}
                className={cx(
                  'inline-flex h-9 items-center gap-1.5 border-b-2 px-2.5 text-13 whitespace-nowrap focus-inset',
                  item === tab ? 'border-accent font-medium text-ink' : 'border-transparent text-muted hover:text-ink',
                )}
              >
                {TAB_WORDS[item]}
                <TabCount tab={item} integration={integration} />
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      {tab === 'health' && <HealthTab integration={integration} />}
      {tab === 'events' && <EventsTab integration={integration} />}
      {tab === 'problems' && <ProblemsTab integration={integration} />}
      {tab === 'webhook' && integration.webhook && <WebhookTab integration={integration} webhook={integration.webhook} />}
      {tab === 'settings' && <SettingsTab key={integration.version} integration={integration} />}
    </>
  )
}

function TabCount({ tab, integration }: { tab: Tab; integration: IntegrationDetail }) {
  const count = tab === 'problems' ? integration.openProblems : tab === 'webhook' ? integration.webhook?.rejected24h : 0
  return count ? <Tag>{formatCount(count)}</Tag> : null
}

function Head({ integration }: { integration: IntegrationDetail }) {
  useTitle(integration.name)
  const health = useQuery(healthQuery(integration.id)).data
  const reason = integration.reasons[0]?.message
  const checked = health?.current.checked === true
  return (
    <header className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <ProviderIcon provider={integration.provider} name={integration.name} size="lg" />
      <div className="min-w-0 flex-1 basis-64">
        <h1 className="flex flex-wrap items-center gap-x-3 gap-y-1 text-20 font-semibold">
          <span className="min-w-0 break-words">{integration.name}</span>
          <HealthChip health={integration.health} />
          {!integration.enabled && <Tag>Disabled</Tag>}
          {integration.demo && <Tag>Demo</Tag>}
        </h1>
        <p className="text-13 text-pretty text-muted">
          {integration.providerName} · {integration.health} for <Since at={integration.healthSince} />
          {reason && <>: {reason}</>}
        </p>
      </div>
      <dl className="grid grid-cols-2 gap-x-6 text-13">
        <dt className="text-12 text-muted">{checked ? 'Last check' : 'Last event'}</dt>
        <dt className="text-12 text-muted">Last success</dt>
        <dd>{when(checked ? health.current.lastCheckAt : integration.lastEventAt)}</dd>
        <dd>{when(later(integration.lastSuccessAt, health?.current.lastSuccessAt ?? null))}</dd>
      </dl>
      <ScoreChip score={integration.score} parts={integration.scoreParts} />
      <div className="flex items-center gap-2" data-print="hide">
        {checked && <CheckNow integration={integration} />}
        <MoreMenu integration={integration} />
      </div>
    </header>
  )
}

const when = (at: string | null) => (at ? <Ago at={at} /> : 'never')
const later = (a: string | null, b: string | null) => ((a ?? '') > (b ?? '') ? a : b)

function MoreMenu({ integration }: { integration: IntegrationDetail }) {
  const navigate = useNavigate()
  const save = (format: FileFormat) => globalThis.location.assign(healthFile(integration.id, format))
  const copyId = () => void copyText(integration.id).then(() => toast('The id is copied.'))
  const actions = [
    { id: 'settings', label: 'Settings', onAction: () => void navigate(keepPage(() => ({ tab: 'settings' }))) },
    { id: 'csv', label: 'Export checks as CSV', onAction: () => save('csv') },
    { id: 'json', label: 'Export checks as JSON', onAction: () => save('json') },
    { id: 'id', label: 'Copy the id', onAction: copyId },
  ]
  return (
    <Menu label={`More about ${integration.name}`} actions={actions}>
      <IconButton label={`More about ${integration.name}`} variant="quiet">
        <MoreIcon />
      </IconButton>
    </Menu>
  )
}
