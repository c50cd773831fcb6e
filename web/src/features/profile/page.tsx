import { useQuery } from '@tanstack/react-query'
import { profileQuery } from '@/api/queries/profile'
import { SideTabs } from '@/features/shared/side-tabs'
import { usePageSearch } from '@/features/shared/url-state'
import { Page, PageHead, Panel } from '@/ui/layout'
import { Loaded, SkeletonRows } from '@/ui/states'
import { AccountPanel } from './account'
import { IdentitiesPanel } from './identities'
import { MyKeysPanel } from './keys'
import { PasswordPanel } from './password'
import { SessionsPanel } from './sessions'
import { TotpPanel } from './totp'

const TABS = ['account', 'security', 'sessions', 'keys'] as const
type Tab = (typeof TABS)[number]
const TAB_WORDS: Record<Tab, string> = {
  account: 'Account',
  security: 'Security',
  sessions: 'Sessions',
  keys: 'API keys',
}

/** The signed-in person: who they are here, how they prove it, and where they are signed in. */
export function ProfilePage() {
  const [search] = usePageSearch()
  const query = useQuery(profileQuery)
  const tab = TABS.find((item) => item === search.tab) ?? 'account'
  return (
    <Page>
      <PageHead title="Your profile" />
      <SideTabs label="Parts of your profile" tabs={TABS} words={TAB_WORDS} tab={tab}>
        {tab === 'sessions' && <SessionsPanel />}
        {tab === 'keys' && <MyKeysPanel />}
        {(tab === 'account' || tab === 'security') && (
          <Loaded query={query} loading={<Panel><SkeletonRows rows={4} label="Loading your profile" /></Panel>}>
            {(profile) =>
              tab === 'account' ? (
                <>
                  <AccountPanel profile={profile} refetch={query.refetch} />
                  <IdentitiesPanel profile={profile} />
                </>
              ) : (
                <>
                  <PasswordPanel profile={profile} />
                  <TotpPanel totp={profile.totp} />
                </>
              )
            }
          </Loaded>
        )}
      </SideTabs>
    </Page>
  )
}
