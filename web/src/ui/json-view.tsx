import { useState } from 'react'
import type { Json } from '@/api/types'
import { cx } from './cx'
import { ChevronIcon } from './icons'

/** Levels open at first. */
const OPEN_DEPTH = 2
/** Members shown of one object or array before "n more". */
const SHOWN = 100

interface NodeProps {
  name: string | null
  value: Json
  depth: number
}

/** A JSON value as a tree that folds. */
export function JsonTree({ value }: { value: Json }) {
  return (
    <div className="font-mono text-12 leading-5">
      <Node name={null} value={value} depth={0} />
    </div>
  )
}

function Node({ name, value, depth }: NodeProps) {
  if (typeof value !== 'object' || value === null) {
    return (
      <div className="pl-4 break-words">
        <Name name={name} />
        <Scalar value={value} />
      </div>
    )
  }
  return <Branch name={name} value={value} depth={depth} />
}

function Branch({ name, value, depth }: NodeProps & { value: Json[] | { [key: string]: Json } }) {
  const [open, setOpen] = useState(depth < OPEN_DEPTH)
  const [limit, setLimit] = useState(SHOWN)
  const entries: [string, Json][] = Array.isArray(value)
    ? value.map((item, index) => [String(index), item])
    : Object.entries(value)
  const [left, right] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  if (entries.length === 0) {
    return (
      <div className="pl-4">
        <Name name={name} />
        <span className="text-muted">{left + right}</span>
      </div>
    )
  }
  return (
    <div>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex w-full min-w-0 items-center rounded-sm text-left hover:bg-n3 focus-inset"
      >
        <ChevronIcon className={cx('mr-1 size-3 text-muted', open && 'rotate-90')} />
        <Name name={name} />
        <span className="text-muted">{open ? left : `${left} ${entries.length} ${right}`}</span>
      </button>
      {open && (
        <div className="ml-1.5 border-l border-line pl-1.5">
          {entries.slice(0, limit).map(([key, item]) => (
            <Node key={key} name={key} value={item} depth={depth + 1} />
          ))}
          {entries.length > limit && (
            <button type="button" className="ml-4 text-accent hover:underline" onClick={() => setLimit(entries.length)}>
              {entries.length - limit} more
            </button>
          )}
        </div>
      )}
    </div>
  )
}

function Name({ name }: { name: string | null }) {
  return name === null ? null : <span className="mr-1.5 text-muted">{name}:</span>
}

/** Texts the redactor wrote in place of a value, such as `[redacted:email]`. */
const REDACTED = /^\[redacted[^\]]*\]$/i

function Scalar({ value }: { value: string | number | boolean | null }) {
  if (typeof value === 'string' && REDACTED.test(value)) {
    return <span className="rounded-sm bg-n4 px-1 text-muted">{value}</span>
  }
  const colour = typeof value === 'string' ? 'text-ink' : 'text-accent'
  return <span className={cx('break-all', colour)}>{typeof value === 'string' ? `"${value}"` : String(value)}</span>
}
