import { useRouter, type ErrorComponentProps } from '@tanstack/react-router'
import { LinkButton } from '@/ui/button'
import { Empty, ErrorState } from '@/ui/states'

export function NotFound() {
  return (
    <main className="pt-[12dvh]">
      <h1 className="sr-only">Not found</h1>
      <Empty title="There is no such page" actions={<LinkButton to="/">Go to the Overview</LinkButton>}>
        The address may be old or mistyped.
      </Empty>
    </main>
  )
}

export function RouteError({ error }: ErrorComponentProps) {
  const router = useRouter()
  return (
    <main className="pt-[12dvh]">
      <h1 className="sr-only">Something went wrong</h1>
      <ErrorState error={error instanceof Error ? error : new Error(String(error))} onRetry={() => void router.invalidate()} />
    </main>
  )
}
