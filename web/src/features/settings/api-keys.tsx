import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { apiKeysQuery, useRevokeApiKey } from '@/api/queries/api-keys'
import type { ApiKey } from '@/api/types'
import { KeyRow } from '@/features/shared/key-row'
import { Button } from '@/ui/button'
import { Panel } from '@/ui/layout'
import { Empty, Loaded, SkeletonRows } from '@/ui/states'
import { CreateKey } from './create-key'

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
            <Empty title="No API keys">A program that reads or writes here uses one as its bearer token. Make one for each program.</Empty>
          ) : (
            <ul className="divide-y divide-line">
              {apiKeys.map((apiKey) => (
                <ProjectKey key={apiKey.id} apiKey={apiKey} />
              ))}
            </ul>
          )
        }
      </Loaded>
      {creating && <CreateKey onClose={() => setCreating(false)} />}
    </Panel>
  )
}

function ProjectKey({ apiKey }: { apiKey: ApiKey }) {
  return <KeyRow apiKey={apiKey} revoke={useRevokeApiKey()} />
}
