import type { UseQueryResult, UseInfiniteQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ApiError, hasCode } from '@/api/error'
import { SUDO_CANCELLED } from '@/api/sudo'
import { Button } from './button'
import { cx } from './cx'
import { HealthShape } from './status'

/** Grey bars where text will be. */
export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden="true" className={cx('block rounded-sm bg-n4 breathe', className ?? 'h-4 w-full')} />
}

export function SkeletonRows({ rows = 4, label }: { rows?: number; label: string }) {
  return (
    <div role="status" aria-label={label} className="flex flex-col gap-3 p-4">
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} className={cx('h-4', row % 3 === 0 ? 'w-full' : row % 3 === 1 ? 'w-11/12' : 'w-3/4')} />
      ))}
    </div>
  )
}

interface EmptyProps {
  title: string
  children?: ReactNode
  actions?: ReactNode
}
/** Nothing here, and what to do about it. */
export function Empty({ title, children, actions }: EmptyProps) {
  return (
    <div className="flex flex-col items-center gap-1 px-6 py-8 text-center">
      <p className="text-14 font-medium">{title}</p>
      {children && <p className="max-w-md text-13 text-pretty text-muted">{children}</p>}
      {actions && <div className="mt-3 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  )
}

function adviceFor(error: Error): string {
  if (!(error instanceof ApiError)) return 'This page met something it did not expect. Reload it; if that does not help, look at the server’s log.'
  if (error.status === 0) return 'We try again by ourselves; what you see may be old until then.'
  if (error.status === 403) return 'Your role does not allow this. Ask an admin of the project.'
  if (error.status === 404) return 'It may have been deleted, or it belongs to another project.'
  if (error.status === 429) return `Wait ${error.retryAfter ?? 30} s, then try again.`
  return error.status >= 500 ? 'Try again; if it stays, the server’s log says more.' : 'Change what the message names, then try again.'
}

/** What went wrong and what to do next, with the code beside it for search. */
export function ErrorState({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  if (hasCode(error, SUDO_CANCELLED)) return <Locked {...(onRetry && { onRetry })} />
  return (
    <div role="alert" className="flex flex-col items-center gap-1 px-6 py-8 text-center">
      <p className="flex items-center gap-2 text-14 font-medium">
        <HealthShape health="down" />
        {error.message}
      </p>
      <p className="max-w-md text-13 text-pretty text-muted">
        {adviceFor(error)}
        {error instanceof ApiError && <code className="ml-1 font-mono text-12">{error.code}</code>}
      </p>
      {onRetry && (
        <Button className="mt-3" onPress={onRetry}>
          Try again
        </Button>
      )}
    </div>
  )
}

/** Nothing went wrong: the person would rather not say who they are. Asked again only when they want to. */
function Locked({ onRetry }: { onRetry?: () => void }) {
  return (
    <Empty title="Shown after you confirm that it is you" actions={onRetry && <Button onPress={onRetry}>Confirm it is you</Button>}>
      This part reaches beyond one project or changes who may do what. After you confirm, it stays open for 15 minutes.
    </Empty>
  )
}

interface LoadedProps<T> {
  query: Pick<UseQueryResult<T> | UseInfiniteQueryResult<T>, 'data' | 'error' | 'refetch'>
  loading: ReactNode
  children: (data: T) => ReactNode
}
/** The states of one query: loading, error (only while there is nothing older to show), data. */
export function Loaded<T>({ query, loading, children }: LoadedProps<T>) {
  if (query.data !== undefined) return children(query.data)
  if (query.error) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />
  return loading
}

/** One line under a form: why the last attempt was refused. */
export function FormError({ error }: { error: Error | null }) {
  if (!error) return null
  return (
    <p role="alert" className="flex items-start gap-2 text-13 text-bad">
      <HealthShape health="down" className="mt-1" />
      <span>{error.message}</span>
    </p>
  )
}
