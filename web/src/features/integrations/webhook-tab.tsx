import { useQuery } from '@tanstack/react-query'
import { rejectionsQuery, useAlias } from '@/api/queries/integrations'
import { useRole } from '@/api/queries/session'
import type { IntegrationDetail } from '@/api/types'
import { Button } from '@/ui/button'
import { CopyBox } from '@/ui/copy'
import { Panel } from '@/ui/layout'
import { Empty, FormError, Loaded, SkeletonRows } from '@/ui/states'
import { RejectionList } from './rejections'
import { SecretsPanel } from './secrets-panel'

interface WebhookTabProps {
  integration: IntegrationDetail
  webhook: NonNullable<IntegrationDetail['webhook']>
}

/** Where deliveries come in, what they are verified with, and which ones were refused. */
export function WebhookTab({ integration, webhook }: WebhookTabProps) {
  return (
    <div className="grid items-start gap-4 xl:grid-cols-2">
      <AddressPanel integration={integration} webhook={webhook} />
      <SecretsPanel integration={integration} />
      <RejectionsPanel id={integration.id} />
    </div>
  )
}

function AddressPanel({ integration, webhook }: WebhookTabProps) {
  const alias = useAlias(integration.id)
  const { canConfigure } = useRole()
  const bound = webhook.aliasUrl !== null
  return (
    <Panel id="address" title="Address">
      <div className="flex flex-col gap-3 p-4 text-13">
        <CopyBox value={webhook.url} label="webhook address" />
        <p className="text-12 text-pretty text-muted">Anyone who has it can send, but only what is signed with a secret below counts.</p>
        {webhook.aliasUrl && (
          <>
            <h3 className="font-medium">Short address</h3>
            <CopyBox value={webhook.aliasUrl} label="short address" />
          </>
        )}
        {canConfigure && (
          <div className="flex flex-wrap items-center gap-3">
            <Button size="sm" isDisabled={alias.isPending} onPress={() => alias.mutate(!bound)}>
              {bound ? 'Free the short address' : 'Take the short address'}
            </Button>
            <p className="min-w-0 flex-1 basis-48 text-12 text-muted">
              The provider’s short address leads to one integration at a time; taking it moves it here.
            </p>
          </div>
        )}
        <FormError error={alias.error} />
      </div>
    </Panel>
  )
}

function RejectionsPanel({ id }: { id: string }) {
  const query = useQuery(rejectionsQuery(id))
  return (
    <Panel id="rejections" title="Rejected deliveries" className="xl:col-span-2">
      <Loaded query={query} loading={<SkeletonRows rows={3} label="Loading rejected deliveries" />}>
        {(rejections) =>
          rejections.length === 0 ? (
            <Empty title="Every delivery was verified">If one is refused, the likely cause appears here. Its body is never kept or trusted.</Empty>
          ) : (
            <RejectionList rejections={rejections} />
          )
        }
      </Loaded>
    </Panel>
  )
}
