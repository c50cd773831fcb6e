import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { cx } from '@/ui/cx'
import { keepPage } from './url-state'

interface SideTabsProps<T extends string> {
  label: string
  tabs: readonly T[]
  words: Record<T, string>
  tab: T
  children: ReactNode
  /** Tables want the whole width; forms are easier to read without it. */
  wide?: boolean
}

/** At phone width the row scrolls, and the part on screen may be beyond its end. */
export const bringIntoView = (item: HTMLLIElement | null) => item?.scrollIntoView({ block: 'nearest', inline: 'center' })

/** The parts of a page with many: at the left, and in one scrolling row at phone width. The address holds the choice. */
export function SideTabs<T extends string>({ label, tabs, words, tab, children, wide }: SideTabsProps<T>) {
  return (
    <div className={cx('grid items-start gap-4', wide ? 'lg:grid-cols-[12rem_minmax(0,1fr)]' : 'lg:grid-cols-[12rem_minmax(0,48rem)]')}>
      <nav aria-label={label} className="-mx-4 overflow-x-auto px-4 scroll-thin lg:mx-0 lg:px-0">
        <ul className="flex gap-1 lg:flex-col">
          {tabs.map((item) => (
            <li key={item} ref={item === tab ? bringIntoView : null}>
              <Link
                {...keepPage(() => ({ tab: item }))}
                aria-current={item === tab ? 'page' : undefined}
                className={cx(
                  'flex h-8 items-center rounded-md px-2.5 text-13 whitespace-nowrap focus-inset',
                  item === tab ? 'bg-n4 font-medium text-ink' : 'text-muted hover:bg-n3 hover:text-ink',
                )}
              >
                {words[item]}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div className="flex min-w-0 flex-col gap-4">{children}</div>
    </div>
  )
}
