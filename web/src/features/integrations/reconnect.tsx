import { useReconnect } from '@/api/queries/health'
import { useRole } from '@/api/queries/session'
import type { Integration } from '@/api/types'
import { Button } from '@/ui/button'
import { toast } from '@/ui/toast'

interface ReconnectProps {
  integration: Pick<Integration, 'id' | 'providerName'>
  variant?: 'primary' | 'secondary'
  size?: 'sm' | 'md'
  /** Before the first time there is nothing to do again. */
  first?: boolean
}

/** Leads to the provider, where somebody agrees; it leads back to the integration, which keeps its id and history. */
export function Reconnect({ integration, variant, size, first }: ReconnectProps) {
  const reconnect = useReconnect(integration.id)
  const { canTriage, canConfigure } = useRole()
  if (!(first ? canConfigure : canTriage)) return null
  const label = first ? `Connect at ${integration.providerName}` : 'Reconnect'
  return (
    <Button
      {...(variant && { variant })}
      {...(size && { size })}
      isDisabled={reconnect.isPending}
      onPress={() => reconnect.mutate(undefined, { onError: (error) => toast(error.message) })}
    >
      {reconnect.isPending ? `Going to ${integration.providerName}` : label}
    </Button>
  )
}
