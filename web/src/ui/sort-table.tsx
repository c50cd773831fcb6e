import type { ReactNode } from 'react'
import { cx } from './cx'
import { DownIcon } from './icons'

export interface Column<T> {
  id: string
  label: string
  /** Numbers stand at the right. */
  number?: boolean
  /** What rows are compared by; null is always last. */
  by: (row: T) => string | number | null
  cell: (row: T) => ReactNode
}

interface SortTableProps<T> {
  label: string
  columns: Column<T>[]
  rows: T[]
  keyOf: (row: T) => string
  /** A column's id; with a minus before it, the largest first. */
  sort: string
  onSort: (sort: string) => void
}

/** A table whose heads are buttons that sort; the first column names the row. */
export function SortTable<T>({ label, columns, rows, keyOf, sort, onSort }: SortTableProps<T>) {
  const falling = sort.startsWith('-')
  const id = falling ? sort.slice(1) : sort
  const column = columns.find((item) => item.id === id) ?? columns[0]
  const sorted = column ? rows.toSorted(comparison(column, falling)) : rows
  return (
    <div className="overflow-x-auto scroll-thin">
      <table aria-label={label} className="w-full text-left text-13">
        <thead className="text-12 text-muted">
          <tr className="border-b border-line">
            {columns.map((item) => {
              const active = item === column
              return (
                <th key={item.id} scope="col" aria-sort={active ? (falling ? 'descending' : 'ascending') : 'none'} className={cx('px-1.5 py-1 font-normal first:pl-4 last:pr-4', item.number && 'text-right')}>
                  <button
                    type="button"
                    onClick={() => onSort(nextSort(item, active, falling))}
                    className={cx('inline-flex h-6 items-center gap-0.5 rounded-sm whitespace-nowrap hover:text-ink', active && 'font-medium text-ink')}
                  >
                    {item.label}
                    <DownIcon className={cx('size-3', !active && 'invisible', !falling && 'rotate-180')} />
                  </button>
                </th>
              )
            })}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {sorted.map((row) => (
            <tr key={keyOf(row)} data-row tabIndex={-1} className="focus-inset hover:bg-n3">
              {columns.map((item, index) => {
                const Cell = index === 0 ? 'th' : 'td'
                return (
                  <Cell key={item.id} {...(index === 0 && { scope: 'row' })} className={cx('px-1.5 py-1.5 font-normal whitespace-nowrap first:pl-4 last:pr-4', item.number && 'text-right')}>
                    {item.cell(row)}
                  </Cell>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Pressing a head again turns the order round; of numbers the largest are looked for first. */
function nextSort<T>(column: Column<T>, active: boolean, falling: boolean): string {
  const fall = active ? !falling : column.number === true
  return fall ? `-${column.id}` : column.id
}

function comparison<T>({ by }: Column<T>, falling: boolean) {
  return (a: T, b: T): number => {
    const [x, y] = [by(a), by(b)]
    if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1
    const order = typeof x === 'string' ? x.localeCompare(String(y)) : x - Number(y)
    return falling ? -order : order
  }
}
