import { DemoButton } from '@/features/shared/demo'
import { useRole } from '@/api/queries/session'
import { LinkButton } from '@/ui/button'
import { PlusIcon } from '@/ui/icons'
import { PageHead, Panel } from '@/ui/layout'
import { Empty } from '@/ui/states'

/** A fresh installation: what to do first. */
export function Welcome() {
  const { canConfigure } = useRole()
  return (
    <>
      <PageHead title="No integrations yet" lead="Linekeeper shows what fails between you and the services you depend on, why, and what to do." />
      <Panel>
        {canConfigure ? (
          <Empty
            title="Add the first, or load the demo to look around."
            actions={
              <>
                <LinkButton to="/integrations/new" variant="primary">
                  <PlusIcon /> Add the first integration
                </LinkButton>
                <DemoButton />
              </>
            }
          >
            Adding one gives you a webhook address for the provider to call. The demo sends real, signed webhooks from
            invented providers, breaks things and heals them; removing it leaves nothing behind.
          </Empty>
        ) : (
          <Empty title="An admin of this project can add the first one.">Once its events arrive, they show here.</Empty>
        )}
      </Panel>
    </>
  )
}
