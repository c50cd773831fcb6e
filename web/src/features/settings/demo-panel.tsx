import { useQuery } from '@tanstack/react-query'
import { demoQuery } from '@/api/queries/overview'
import { DemoButton } from '@/features/shared/demo'
import { plural } from '@/ui/format'
import { Panel } from '@/ui/layout'
import { Loaded, SkeletonRows } from '@/ui/states'

export function DemoPanel() {
  const query = useQuery(demoQuery)
  return (
    <Panel id="demo" title="Demo">
      <Loaded query={query} loading={<SkeletonRows rows={2} label="Loading the demo's state" />}>
        {(demo) => (
          <div className="flex flex-wrap items-center gap-4 p-4 text-13">
            <p className="min-w-0 flex-1 basis-64 text-muted">
              {demo.loaded
                ? `Loaded, with ${plural(demo.integrations, 'integration')}${demo.running ? '; its story is running' : ''}. Removing it deletes them with everything they wrote; yours stay.`
                : 'Real, signed webhooks from invented providers that break and heal, to look around with. It can be removed again without a trace.'}
            </p>
            <DemoButton />
          </div>
        )}
      </Loaded>
    </Panel>
  )
}
