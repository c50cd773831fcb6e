import type { ReactNode } from 'react'
import { cx } from './cx'
import { useTitle } from './title'

interface PanelProps {
  title?: ReactNode
  /** Shown at the right of the title. */
  aside?: ReactNode
  children: ReactNode
  className?: string
  id?: string
}

/** A bordered surface with a heading: the unit every page is made of. */
export function Panel({ title, aside, children, className, id }: PanelProps) {
  const headingId = id ? `${id}-heading` : undefined
  return (
    <section
      {...(headingId && title !== undefined && { 'aria-labelledby': headingId })}
      className={cx('min-w-0 rounded-lg border border-line bg-surface', className)}
    >
      {title !== undefined && (
        <header className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-4 py-1.5">
          <h2 id={headingId} className="text-13 font-semibold">
            {title}
          </h2>
          {aside && <div className="ml-auto flex flex-wrap items-center gap-2">{aside}</div>}
        </header>
      )}
      {children}
    </section>
  )
}

/** The head of a page: what it is, and what can be done here. */
export function PageHead({ title, lead, children }: { title: string; lead?: ReactNode; children?: ReactNode }) {
  useTitle(title)
  return (
    <header className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <div className="min-w-0 flex-1 basis-40">
        <h1 className="text-20 font-semibold text-balance">{title}</h1>
        {lead && <p className="mt-0.5 text-13 text-muted">{lead}</p>}
      </div>
      {children && <div className="flex flex-wrap items-center gap-2">{children}</div>}
    </header>
  )
}

/** The column every page sits in: 16 px from the edge of a phone, never wider than can be read. */
export function Page({ children, narrow }: { children: ReactNode; narrow?: boolean }) {
  return (
    <div className={cx('mx-auto flex w-full flex-col gap-4 px-4 py-4 md:px-6 md:py-5', narrow ? 'max-w-3xl' : 'max-w-[110rem]')}>
      {children}
    </div>
  )
}

export function Tag({ children, mono, title }: { children: ReactNode; mono?: boolean; title?: string }) {
  return (
    <span
      title={title}
      className={cx(
        'inline-flex h-5 max-w-full items-center truncate rounded-sm bg-n3 px-1.5 text-12 whitespace-nowrap text-muted',
        mono && 'font-mono',
      )}
    >
      {children}
    </span>
  )
}

export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-flex h-5 min-w-5 items-center justify-center rounded-sm border border-line bg-n3 px-1 font-sans text-12 text-muted">
      {children}
    </kbd>
  )
}

/** Name and value pairs in two columns, the values aligned. */
export function Facts({ items }: { items: [label: string, value: ReactNode][] }) {
  return (
    <dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-4 gap-y-1.5 text-13">
      {items.map(([label, value]) => (
        <div key={label} className="contents">
          <dt className="text-muted">{label}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  )
}
