import { useRole } from '@/api/queries/session'
import { AuditLog } from '@/features/shared/audit-log'
import { SideTabs } from '@/features/shared/side-tabs'
import { usePageSearch } from '@/features/shared/url-state'
import { Page, PageHead } from '@/ui/layout'
import { ApiKeysPanel } from './api-keys'
import { Appearance } from './appearance'
import { DemoPanel } from './demo-panel'
import { InvitationsPanel } from './invitations'
import { MembersPanel } from './members'
import { ProjectTab } from './project'

const TABS = ['appearance', 'project', 'members', 'keys', 'demo', 'audit'] as const
type Tab = (typeof TABS)[number]
const TAB_WORDS: Record<Tab, string> = {
  appearance: 'Appearance',
  project: 'Project',
  members: 'Members',
  keys: 'API keys',
  demo: 'Demo',
  audit: 'Audit log',
}
/** The project tab is for all: anybody may leave. */
const FOR_ALL = new Set<Tab>(['appearance', 'project', 'members'])

export function SettingsPage() {
  const [search] = usePageSearch()
  const { canConfigure } = useRole()
  const tabs = TABS.filter((tab) => canConfigure || FOR_ALL.has(tab))
  const tab = tabs.find((item) => item === search.tab) ?? 'appearance'
  return (
    <Page>
      <PageHead title="Settings" />
      <SideTabs label="Parts of the settings" tabs={tabs} words={TAB_WORDS} tab={tab} wide={tab === 'audit'}>
        {tab === 'appearance' && <Appearance />}
        {tab === 'project' && <ProjectTab />}
        {tab === 'members' && (
          <>
            <MembersPanel />
            {canConfigure && <InvitationsPanel />}
          </>
        )}
        {tab === 'keys' && <ApiKeysPanel />}
        {tab === 'demo' && <DemoPanel />}
        {tab === 'audit' && <AuditLog scope="project" />}
      </SideTabs>
    </Page>
  )
}
