import { Link, type LinkProps } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { cx } from './cx'
import { ExternalIcon } from './icons'

type TextLinkProps = Pick<LinkProps, 'to' | 'params' | 'search'> & {
  children: ReactNode
  className?: string
  title?: string
}
/** A link inside the app. */
export function TextLink({ className, ...props }: TextLinkProps) {
  return <Link {...props} className={cx('text-accent underline decoration-n7 underline-offset-2 hover:decoration-current', className)} />
}

/** A link to somewhere else: new tab, no referrer, and only http(s), whatever a manifest says. */
export function ExternalLink({ href, children }: { href: string; children: ReactNode }) {
  if (!/^https?:\/\//.test(href)) return <span>{children}</span>
  return (
    <a
      href={href}
      target="_blank"
      rel="noreferrer noopener"
      className="inline-flex items-center gap-1 text-accent underline decoration-n7 underline-offset-2 hover:decoration-current"
    >
      {children}
      <ExternalIcon className="size-3" />
      <span className="sr-only">(opens in a new tab)</span>
    </a>
  )
}
