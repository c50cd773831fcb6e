import { useQuery } from '@tanstack/react-query'
import { overviewQuery } from '@/api/queries/overview'
import { DemoButton } from '@/features/shared/demo'

/** While the demo runs, says so and offers the way out. */
export function DemoBanner() {
  const { data: overview } = useQuery(overviewQuery)
  if (!overview?.demo.loaded) return null
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 rounded-lg border border-line bg-accent-wash px-4 py-2 text-13" data-print="hide">
      <p className="min-w-0 flex-1 basis-64">The demo is loaded: real, signed webhooks from invented providers.</p>
      <DemoButton small />
    </div>
  )
}
