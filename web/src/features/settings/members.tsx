import { useQuery } from '@tanstack/react-query'
import { membersQuery } from '@/api/queries/settings'
import { useSession } from '@/api/queries/session'
import { Panel, Tag } from '@/ui/layout'
import { Empty, Loaded, SkeletonRows } from '@/ui/states'
import { Ago } from '@/ui/time'

/** Who works in this project and what they may do. */
export function MembersPanel() {
  const query = useQuery(membersQuery)
  const { user } = useSession()
  return (
    <Panel id="members" title="Members">
      <Loaded query={query} loading={<SkeletonRows rows={3} label="Loading members" />}>
        {(members) =>
          members.length === 0 ? (
            <Empty title="No members">Operators see this project without being members of it.</Empty>
          ) : (
            <ul className="divide-y divide-line">
              {members.map((member) => (
                <li key={member.userId} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 text-13">
                  <span className="min-w-0 flex-1 basis-48">
                    <span className="block truncate font-medium">
                      {member.name} {member.userId === user?.id && <span className="font-normal text-muted">(you)</span>}
                    </span>
                    <span className="block truncate text-12 text-muted">{member.email ?? 'address hidden'}</span>
                  </span>
                  <span className="text-12 text-muted">
                    since <Ago at={member.createdAt} />
                  </span>
                  <Tag>{member.role}</Tag>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  )
}
