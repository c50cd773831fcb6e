import { useRole } from '@/api/queries/session'
import { AuditLog } from '@/features/shared/audit-log'
import { SideTabs } from '@/features/shared/side-tabs'
import { usePageSearch } from '@/features/shared/url-state'
import { LinkButton } from '@/ui/button'
import { Page, PageHead, Panel } from '@/ui/layout'
import { Empty } from '@/ui/states'
import { AuditCheckPanel } from './audit-check'
import { HealthPanels } from './health'
import { PeoplePanel } from './people'
import { ProjectsPanel } from './projects'

const TABS = ['projects', 'people', 'health', 'audit'] as const
type Tab = (typeof TABS)[number]
const TAB_WORDS: Record<Tab, string> = { projects: 'Projects', people: 'People', health: 'Health', audit: 'Audit log' }

/** The whole installation: its projects, its people, and everything that was changed. */
export function AdminPage() {
  const [search] = usePageSearch()
  const { isOperator } = useRole()
  const tab = TABS.find((item) => item === search.tab) ?? 'projects'
  if (!isOperator) {
    return (
      <Page narrow>
        <PageHead title="Admin" />
        <Panel>
          <Empty title="For operators of this installation" actions={<LinkButton to="/">Go to the Overview</LinkButton>}>
            Operators run the whole installation: its projects and its people. If you need something changed here, ask one of them. For your project, see Settings.
          </Empty>
        </Panel>
      </Page>
    )
  }
  return (
    <Page>
      <PageHead title="Admin" lead="The whole installation." />
      <SideTabs label="Parts of the installation" tabs={TABS} words={TAB_WORDS} tab={tab} wide>
        {tab === 'projects' && <ProjectsPanel />}
        {tab === 'people' && <PeoplePanel />}
        {tab === 'health' && <HealthPanels />}
        {tab === 'audit' && (
          <>
            <AuditCheckPanel />
            <AuditLog scope="installation" />
          </>
        )}
      </SideTabs>
    </Page>
  )
}
