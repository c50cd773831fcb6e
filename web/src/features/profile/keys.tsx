import { useQuery } from '@tanstack/react-query'
import { profileKeysQuery, useRevokeMyKey } from '@/api/queries/profile'
import type { ApiKey } from '@/api/types'
import { KeyRow } from '@/features/shared/key-row'
import { Panel } from '@/ui/layout'
import { Empty, Loaded, SkeletonRows } from '@/ui/states'

/** The keys this person made, in any project: theirs to revoke even where they are no longer admin. */
export function MyKeysPanel() {
  const query = useQuery(profileKeysQuery)
  return (
    <Panel id="my-keys" title="API keys you made">
      <Loaded query={query} loading={<SkeletonRows rows={3} label="Loading your API keys" />}>
        {(apiKeys) =>
          apiKeys.length === 0 ? (
            <Empty title="You made no API keys">Admins make them in the settings of a project, under API keys.</Empty>
          ) : (
            <ul className="divide-y divide-line">
              {apiKeys.map((apiKey) => (
                <MyKey key={apiKey.id} apiKey={apiKey} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  )
}

function MyKey({ apiKey }: { apiKey: ApiKey }) {
  return <KeyRow apiKey={apiKey} withProject revoke={useRevokeMyKey()} />
}
