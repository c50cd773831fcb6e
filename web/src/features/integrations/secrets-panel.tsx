import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { secretsQuery, useAddSecret, useRetireSecret } from '@/api/queries/integrations'
import { useRole } from '@/api/queries/session'
import type { IntegrationDetail, WebhookSecret } from '@/api/types'
import { Button } from '@/ui/button'
import { CopyBox } from '@/ui/copy'
import { Confirm, Dialog, DialogActions } from '@/ui/dialog'
import { TextField } from '@/ui/field'
import { Panel, Tag } from '@/ui/layout'
import { Empty, FormError, Loaded, SkeletonRows } from '@/ui/states'
import { Ago } from '@/ui/time'

/** A retired secret still verifies this long, so that nothing in flight is lost. */
const GRACE_S = 24 * 60 * 60

/** The secrets deliveries are verified with, masked; several at once while one is rotated. */
export function SecretsPanel({ integration }: { integration: IntegrationDetail }) {
  const query = useQuery(secretsQuery(integration.id))
  const { canConfigure } = useRole()
  const [adding, setAdding] = useState(false)
  return (
    <Panel
      id="secrets"
      title="Secrets"
      aside={
        canConfigure && (
          <Button size="sm" onPress={() => setAdding(true)}>
            {query.data?.some((secret) => secret.state === 'active') ? 'Rotate' : 'Add'}
          </Button>
        )
      }
    >
      <Loaded query={query} loading={<SkeletonRows rows={2} label="Loading secrets" />}>
        {(secrets) =>
          secrets.length === 0 ? (
            <Empty title="No secret yet">Until there is one, no delivery can be verified, so none is accepted.</Empty>
          ) : (
            <ul className="divide-y divide-line">
              {secrets.map((secret) => (
                <SecretRow key={secret.id} integrationId={integration.id} secret={secret} canConfigure={canConfigure} />
              ))}
            </ul>
          )
        }
      </Loaded>
      {adding && <AddSecret integrationId={integration.id} onClose={() => setAdding(false)} />}
    </Panel>
  )
}

const STATE_WORDS: Record<WebhookSecret['state'], string> = { active: 'Active', retiring: 'Retiring', retired: 'Retired' }
const SOURCE_WORDS: Record<WebhookSecret['source'], string> = {
  manual: 'entered by a person',
  generated: 'made by Linekeeper',
  handshake: 'from the provider’s handshake',
  environment: 'from the environment',
}

interface SecretRowProps {
  integrationId: string
  secret: WebhookSecret
  canConfigure: boolean
}

function SecretRow({ integrationId, secret, canConfigure }: SecretRowProps) {
  const retire = useRetireSecret(integrationId)
  const [asking, setAsking] = useState<'later' | 'now' | null>(null)
  const canRetire = canConfigure && secret.state !== 'retired' && secret.source !== 'environment'
  const graceSeconds = asking === 'later' ? GRACE_S : 0
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 text-13">
      <code className="font-mono text-12">••••{secret.last4}</code>
      <Tag>{STATE_WORDS[secret.state]}</Tag>
      <span className="text-12 text-muted">
        {SOURCE_WORDS[secret.source]}, <Ago at={secret.createdAt} />
        {secret.expiresAt && secret.state === 'retiring' && (
          <>
            ; verifies until <Ago at={secret.expiresAt} />
          </>
        )}
      </span>
      {canRetire && (
        <span className="ml-auto flex gap-1">
          {secret.state === 'active' && (
            <Button size="sm" variant="ghost" onPress={() => setAsking('later')}>
              Retire
            </Button>
          )}
          <Button size="sm" variant="ghost" onPress={() => setAsking('now')}>
            Retire now
          </Button>
        </span>
      )}
      <Confirm
        title={asking === 'later' ? 'Retire this secret in 24 hours?' : 'Retire this secret now?'}
        action={asking === 'later' ? 'Retire in 24 hours' : 'Retire now'}
        isOpen={asking !== null}
        isPending={retire.isPending}
        error={retire.error}
        onClose={() => setAsking(null)}
        onConfirm={() => retire.mutate({ secretId: secret.id, graceSeconds }, { onSuccess: () => setAsking(null) })}
      >
        {asking === 'later'
          ? `Deliveries signed with ••••${secret.last4} are accepted for another 24 hours, then refused.`
          : `Deliveries signed with ••••${secret.last4} are refused from this moment, those in flight too. The provider may retry them; some do not.`}
      </Confirm>
    </li>
  )
}

function AddSecret({ integrationId, onClose }: { integrationId: string; onClose: () => void }) {
  const add = useAddSecret(integrationId)
  const [secret, setSecret] = useState('')
  const value = add.data?.value
  if (add.data) {
    return (
      <Dialog title="The secret is stored" isOpen onClose={onClose}>
        <div className="flex flex-col gap-3 text-13">
          {value ? (
            <>
              <p className="text-muted">Shown this once. Paste it at the provider, then retire the old one.</p>
              <CopyBox value={value} label="secret" strong />
            </>
          ) : (
            <p className="text-muted">Deliveries signed with it are accepted from now on. Retire the old one once the provider uses the new one.</p>
          )}
          <Button variant="primary" className="self-end" onPress={onClose}>
            Done
          </Button>
        </div>
      </Dialog>
    )
  }
  return (
    <Dialog title="Add a secret" isOpen onClose={onClose}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault()
          add.mutate(secret || undefined)
        }}
      >
        <p className="text-13 text-muted">The secrets that are active stay so: both verify until you retire one.</p>
        <TextField label="Secret" type="password" autoComplete="off" mono value={secret} onChange={setSecret} hint="Paste the one the provider shows, or leave it empty to have one made." />
        <FormError error={add.error} />
        <DialogActions>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" isDisabled={add.isPending}>
            {secret ? 'Add this secret' : 'Make a secret'}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
