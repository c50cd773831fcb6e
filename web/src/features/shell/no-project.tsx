import { useSession } from '@/api/queries/session'
import { LinkButton } from '@/ui/button'
import { Page, PageHead, Panel } from '@/ui/layout'
import { Empty } from '@/ui/states'

/** In place of every page of a project, for those who belong to none. */
export function NoProject() {
  const { user } = useSession()
  return (
    <Page narrow>
      <PageHead title="No project yet" />
      <Panel>
        {user?.operator ? (
          <Empty title="You belong to no project" actions={<LinkButton to="/admin" search={{ tab: 'projects' }} variant="primary">Create a project</LinkButton>}>
            Create one, or ask an admin of a project for an invitation.
          </Empty>
        ) : (
          <Empty title="You belong to no project yet" actions={<LinkButton to="/profile">Your profile</LinkButton>}>
            Ask an admin of the project for an invitation, and open its link in this browser.
          </Empty>
        )}
      </Panel>
    </Page>
  )
}
