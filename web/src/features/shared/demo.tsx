import { useQuery } from '@tanstack/react-query'
import { demoQuery, useDemo } from '@/api/queries/overview'
import { useRole } from '@/api/queries/session'
import { Button } from '@/ui/button'
import { toast } from '@/ui/toast'

/** Loads the demo, or removes it again; absent for those who may not. */
export function DemoButton({ small }: { small?: boolean }) {
  const { data: demo } = useQuery(demoQuery)
  const { canConfigure } = useRole()
  const change = useDemo()
  if (!demo || !canConfigure) return null
  const label = demo.loaded ? 'Remove the demo' : 'Load the demo'
  const done = demo.loaded ? 'The demo and everything it wrote are gone.' : 'The demo is running: its events arrive from now on.'
  return (
    <Button
      size={small ? 'sm' : 'md'}
      isDisabled={change.isPending}
      onPress={() =>
        change.mutate(demo.loaded ? 'remove' : 'load', {
          onSuccess: () => toast(done),
          onError: (error) => toast(error.message),
        })
      }
    >
      {change.isPending ? (demo.loaded ? 'Removing the demo' : 'Loading the demo') : label}
    </Button>
  )
}
