import { useReconnect } from '@/api/queries/health'
import { useRole } from '@/api/queries/session'
import type { HealthNow } from '@/api/types'
import { CREDENTIAL_KIND_WORDS, CREDENTIAL_STATE_WORDS } from '@/api/words'
import { Button } from '@/ui/button'
import { Facts, Panel, Tag } from '@/ui/layout'
import { HealthShape } from '@/ui/status'
import { Ago } from '@/ui/time'
import { toast } from '@/ui/toast'

/** What the provider lets us in with: whose it is, where it stands, until when, and what it may do. */
export function CredentialCard({ id, current }: { id: string; current: HealthNow }) {
  const { credential } = current
  if (!credential) return null
  const [shape, words] = CREDENTIAL_STATE_WORDS[credential.state] ?? (['unknown', credential.state] as const)
  const account = credential.account ?? current.account
  const scopes = current.scopes?.granted ?? credential.scopes
  const missing = [...new Set([...(current.scopes?.missing ?? []), ...credential.missing])]
  return (
    <Panel id="credential" title="Credential" aside={credential.canReconnect && <Reconnect id={id} state={credential.state} />}>
      <div className="p-4">
        {credential.message && <p className="mb-3 text-13">{credential.message}</p>}
        <Facts
          items={[
            ['Kind', CREDENTIAL_KIND_WORDS[credential.kind] ?? credential.kind],
            ['Account', account ?? <span key="account" className="text-muted">not known</span>],
            [
              'State',
              <span key="state" className="inline-flex items-center gap-1.5">
                <HealthShape health={shape} small />
                {words}
              </span>,
            ],
            ['Expires', credential.expiresAt ? <Ago key="expires" at={credential.expiresAt} /> : 'no date known'],
            [
              'Scopes',
              scopes.length + missing.length === 0 ? (
                <span key="scopes" className="text-muted">the provider names none</span>
              ) : (
                <ul key="scopes" className="flex flex-wrap gap-1">
                  {scopes.map((scope) => (
                    <li key={scope} className="max-w-full">
                      <Tag mono>{scope}</Tag>
                    </li>
                  ))}
                  {missing.map((scope) => (
                    <li key={scope} className="inline-flex max-w-full items-center gap-1 text-12">
                      <HealthShape health="degraded" small />
                      missing
                      <Tag mono>{scope}</Tag>
                    </li>
                  ))}
                </ul>
              ),
            ],
          ]}
        />
      </div>
    </Panel>
  )
}

/** Leads to the provider's sign-in. A first connection is an admin's to make; the same account again an editor's. */
function Reconnect({ id, state }: { id: string; state: string }) {
  const reconnect = useReconnect(id)
  const { canTriage, canConfigure } = useRole()
  const first = state === 'pending'
  if (first ? !canConfigure : !canTriage) return null
  const wanted = first || ['needs_reauth', 'revoked', 'expiring'].includes(state)
  const go = () => reconnect.mutate(undefined, { onError: (error) => toast(`The provider could not be visited. ${error.message}`) })
  return (
    <Button variant={wanted ? 'primary' : 'secondary'} size="sm" onPress={go} isDisabled={reconnect.isPending || reconnect.isSuccess}>
      {first ? 'Connect' : 'Reconnect'}
    </Button>
  )
}
