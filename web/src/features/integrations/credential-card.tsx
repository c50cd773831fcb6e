import type { HealthNow } from '@/api/types'
import { CREDENTIAL_KIND_WORDS, CREDENTIAL_STATE_WORDS } from '@/api/words'
import { Facts, Panel, Tag } from '@/ui/layout'
import { HealthShape } from '@/ui/status'
import { Ago } from '@/ui/time'

/** What the provider lets us in with: whose it is, where it stands, until when, and what it may do. */
export function CredentialCard({ current }: { current: HealthNow }) {
  const { credential } = current
  if (!credential) return null
  const [shape, words] = CREDENTIAL_STATE_WORDS[credential.state] ?? (['unknown', credential.state] as const)
  const account = credential.account ?? current.account
  const scopes = current.scopes?.granted ?? credential.scopes
  const missing = current.scopes?.missing ?? []
  return (
    <Panel id="credential" title="Credential">
      <div className="p-4">
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
