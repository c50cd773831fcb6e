import { Button as AriaButton, Tooltip, TooltipTrigger } from 'react-aria-components'
import type { ScoreParts } from '@/api/types'
import { Tag } from '@/ui/layout'

/** The score as a number whose parts show on hover and focus; the Health tab has them in full. */
export function ScoreChip({ score, parts }: { score: number | null; parts: ScoreParts }) {
  return (
    <TooltipTrigger delay={200} closeDelay={0}>
      <AriaButton className="rounded-sm px-1 text-20 font-semibold" aria-label={`Score ${score ?? 'unknown'} of 100`}>
        {score ?? '–'}
        <span className="ml-1 text-12 font-normal text-muted">of 100</span>
      </AriaButton>
      <Tooltip offset={6} className="max-w-xs rounded-md bg-surface p-3 text-12 shadow-float">
        <ul className="flex flex-col gap-0.5">
          {rowsOf(parts).map(([label, value]) => (
            <li key={label} className="flex justify-between gap-6">
              <span className="text-muted">{label}</span>
              {value === null ? 'does not apply' : Math.round(value * 100)}
            </li>
          ))}
        </ul>
        <p className="mt-1.5 text-pretty text-muted">{parts.sentence}</p>
      </Tooltip>
    </TooltipTrigger>
  )
}

/** Parts come as 0 to 1. */
const rowsOf = (parts: ScoreParts): [string, number | null][] => [
  ['Freshness', parts.freshness],
  ['Success rate', parts.success],
  ['Error rate', parts.errorRate],
]

/** The score with its parts drawn. */
export function Score({ score, parts }: { score: number | null; parts: ScoreParts }) {
  return (
    <div className="flex flex-wrap items-start gap-x-8 gap-y-3 p-4">
      <p className="text-28 font-semibold tracking-tight">
        {score ?? '–'}
        <span className="ml-1 text-13 font-normal text-muted">of 100</span>
      </p>
      <div className="flex min-w-0 flex-1 basis-56 flex-col gap-2">
        {rowsOf(parts).map(([label, value]) => (
          <div key={label} className="grid grid-cols-[6rem_minmax(0,1fr)_3rem] items-center gap-3 text-13">
            <span className="text-muted">{label}</span>
            <Meter value={value} />
            <span className="text-right">{value === null ? 'does not apply' : Math.round(value * 100)}</span>
          </div>
        ))}
        <p className="text-12 text-pretty text-muted">{parts.sentence}</p>
        {parts.caps.length > 0 && (
          <p className="flex flex-wrap gap-1">
            {parts.caps.map((cap) => (
              <Tag key={cap}>{cap}</Tag>
            ))}
          </p>
        )}
      </div>
    </div>
  )
}

function Meter({ value }: { value: number | null }) {
  return (
    <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" className="h-1.5 w-full">
      <rect width="100" height="4" rx="1" className="fill-n4" />
      {value !== null && <rect width={value * 100} height="4" rx="1" className="fill-n8" />}
    </svg>
  )
}
