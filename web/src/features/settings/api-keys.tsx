import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { apiKeysQuery, useCreateApiKey, useRevokeApiKey } from '@/api/queries/settings'
import type { ApiKey, Role } from '@/api/types'
import { Button } from '@/ui/button'
import { CopyBox } from '@/ui/copy'
import { Confirm, Dialog } from '@/ui/dialog'
import { TextField } from '@/ui/field'
import { Panel, Tag } from '@/ui/layout'
import { Select } from '@/ui/select'
import { Empty, FormError, Loaded, SkeletonRows } from '@/ui/states'
import { Ago } from '@/ui/time'
import { toast } from '@/ui/toast'

/** Keys for programs; each is shown once, when it is made. */
export function ApiKeysPanel() {
  const query = useQuery(apiKeysQuery)
  const [creating, setCreating] = useState(false)
  return (
    <Panel
      id="api-keys"
      title="API keys"
      aside={
        <Button size="sm" onPress={() => setCreating(true)}>
          New key
        </Button>
      }
    >
      <Loaded query={query} loading={<SkeletonRows rows={3} label="Loading API keys" />}>
        {(apiKeys) =>
          apiKeys.length === 0 ? (
            <Empty title="No API keys">A program that reads or writes here uses one as its bearer token.</Empty>
          ) : (
            <ul className="divide-y divide-line">
              {apiKeys.map((apiKey) => (
                <KeyRow key={apiKey.id} apiKey={apiKey} />
              ))}
            </ul>
          )
        }
      </Loaded>
      {creating && <CreateKey onClose={() => setCreating(false)} />}
    </Panel>
  )
}

function KeyRow({ apiKey }: { apiKey: ApiKey }) {
  const revoke = useRevokeApiKey()
  const [asking, setAsking] = useState(false)
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 text-13">
      <span className="min-w-0 flex-1 basis-48">
        <span className="block truncate font-medium">{apiKey.name}</span>
        <span className="text-12 text-muted">
          <code className="font-mono">••••{apiKey.last4}</code>, made <Ago at={apiKey.createdAt} />,{' '}
          {apiKey.lastUsedAt ? (
            <>
              used <Ago at={apiKey.lastUsedAt} />
            </>
          ) : (
            'never used'
          )}
        </span>
      </span>
      <Tag>{apiKey.role}</Tag>
      {apiKey.revokedAt ? (
        <Tag>Revoked</Tag>
      ) : (
        <Button size="sm" variant="ghost" onPress={() => setAsking(true)}>
          Revoke
        </Button>
      )}
      <Confirm
        title={`Revoke ${apiKey.name}?`}
        action="Revoke"
        isOpen={asking}
        isPending={revoke.isPending}
        error={revoke.error}
        onClose={() => setAsking(false)}
        onConfirm={() =>
          revoke.mutate(apiKey.id, {
            onSuccess: () => {
              setAsking(false)
              toast(`${apiKey.name} is revoked.`)
            },
          })
        }
      >
        Programs that use it are refused from this moment. This cannot be undone.
      </Confirm>
    </li>
  )
}

const ROLES: { id: Role; label: string }[] = [
  { id: 'viewer', label: 'Viewer: reads' },
  { id: 'editor', label: 'Editor: also triages' },
  { id: 'admin', label: 'Admin: also configures' },
]

function CreateKey({ onClose }: { onClose: () => void }) {
  const create = useCreateApiKey()
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  if (create.data) {
    return (
      <Dialog title="Your new key" isOpen onClose={onClose}>
        <div className="flex flex-col gap-3 text-13">
          <p className="text-muted">Shown this once: Linekeeper keeps a fingerprint only.</p>
          <CopyBox value={create.data.value} label="API key" strong />
          <Button variant="primary" className="self-end" onPress={onClose}>
            Done
          </Button>
        </div>
      </Dialog>
    )
  }
  return (
    <Dialog title="New API key" isOpen onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          create.mutate({ name: name.trim(), role })
        }}
      >
        <TextField label="Name" hint="What will use it." value={name} onChange={setName} isRequired autoFocus />
        <Select label="Role" isRequired options={ROLES} value={role} onChange={(id) => setRole(id as Role)} />
        <FormError error={create.error} />
        <div className="flex justify-end gap-2">
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" isDisabled={create.isPending}>
            Create key
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
