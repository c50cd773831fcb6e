import type { ReactNode } from 'react'
import { hasCode } from '@/api/error'
import { LinkButton } from '@/ui/button'
import { ErrorState } from '@/ui/states'
import { Frame } from './frame'

interface BadLinkProps {
  /** Null when the address had no token at all. */
  error: Error | null
  title: string
  /** Who can make another one. */
  children: ReactNode
  onRetry: () => void
}

/** A one-time link that was used, has expired or was cut: what it is and who makes a new one. */
export function BadLink({ error, title, children, onRetry }: BadLinkProps) {
  if (error && !hasCode(error, 'bad_link')) {
    return (
      <Frame title={title}>
        <ErrorState error={error} onRetry={onRetry} />
      </Frame>
    )
  }
  return (
    <Frame
      title={error ? 'This link no longer works' : 'This link is incomplete'}
      lead={error ? 'It was used before, it has expired, or somebody took it back.' : 'Open the whole link, from http to its last character.'}
    >
      <p className="mb-4 text-13 text-pretty text-muted">{children}</p>
      <LinkButton to="/sign-in">Sign in</LinkButton>
    </Frame>
  )
}
