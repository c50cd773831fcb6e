import { Link } from '@tanstack/react-router'
import { useRole } from '@/api/queries/session'
import { keepPage, usePageSearch } from '@/features/shared/url-state'
import { cx } from '@/ui/cx'
import { Page, PageHead } from '@/ui/layout'
import { ApiKeysPanel } from './api-keys'
import { Appearance } from './appearance'
import { AuditPanel } from './audit'
import { DemoPanel } from './demo-panel'
import { MembersPanel } from './members'

const TABS = ['appearance', 'members', 'keys', 'demo', 'audit'] as const
type Tab = (typeof TABS)[number]
const TAB_WORDS: Record<Tab, string> = {
  appearance: 'Appearance',
  members: 'Members',
  keys: 'API keys',
  demo: 'Demo',
  audit: 'Audit log',
}
const FOR_ALL = new Set<Tab>(['appearance', 'members'])

export function SettingsPage() {
  const [search] = usePageSearch()
  const { canConfigure } = useRole()
  const tabs = TABS.filter((tab) => canConfigure || FOR_ALL.has(tab))
  const tab = tabs.find((item) => item === search.tab) ?? 'appearance'
  return (
    <Page>
      <PageHead title="Settings" />
      <div className="grid items-start gap-4 lg:grid-cols-[12rem_minmax(0,48rem)]">
        <nav aria-label="Parts of the settings" className="-mx-4 overflow-x-auto px-4 scroll-thin lg:mx-0 lg:px-0">
          <ul className="flex gap-1 lg:flex-col">
            {tabs.map((item) => (
              <li key={item}>
                <Link
                  {...keepPage(() => ({ tab: item }))}
                  aria-current={item === tab ? 'page' : undefined}
                  className={cx(
                    'flex h-8 items-center rounded-md px-2.5 text-13 whitespace-nowrap focus-inset',
                    item === tab ? 'bg-n4 font-medium text-ink' : 'text-muted hover:bg-n3 hover:text-ink',
                  )}
                >
                  {TAB_WORDS[item]}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        {tab === 'appearance' && <Appearance />}
        {tab === 'members' && <MembersPanel />}
        {tab === 'keys' && <ApiKeysPanel />}
        {tab === 'demo' && <DemoPanel />}
        {tab === 'audit' && <AuditPanel />}
      </div>
    </Page>
  )
}
