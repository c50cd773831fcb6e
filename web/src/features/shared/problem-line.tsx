import type { Problem } from '@/api/types'
import { STATE_WORDS } from '@/api/words'
import { plural } from '@/ui/format'
import { Ago } from '@/ui/time'

/** Where, how often, since when, and whose: the second line of a problem. */
export function ProblemLine({ problem }: { problem: Problem }) {
  return (
    <span className="flex flex-wrap items-center gap-x-2 text-12 text-muted [&>*+*]:before:mr-2 [&>*+*]:before:text-n8 [&>*+*]:before:content-['·']">
      <span className="truncate">{problem.integrationName}</span>
      <span>{plural(problem.count, 'time')}</span>
      <span>
        last <Ago at={problem.lastSeen} />
      </span>
      {problem.state !== 'open' && <span>{STATE_WORDS[problem.state]}</span>}
      {problem.owner && <span>{problem.owner.name}</span>}
    </span>
  )
}
