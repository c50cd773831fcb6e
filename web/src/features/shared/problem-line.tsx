import type { Problem } from '@/api/types'
import { STATE_WORDS } from '@/api/words'
import { plural } from '@/ui/format'
import { Ago } from '@/ui/time'

/** Where, how often, since when, and whose: the second line of a problem. */
export function ProblemLine({ problem }: { problem: Problem }) {
  return (
    <span className="flex min-w-0 items-center overflow-hidden text-12 whitespace-nowrap text-muted [&>*+*]:shrink-0 [&>*+*]:before:mx-1.5 [&>*+*]:before:content-['·']">
      <span className="truncate">{problem.integrationName}</span>
      <span>{plural(problem.count, 'time')}</span>
      <span>
        <Ago at={problem.lastSeen} />
      </span>
      {problem.state !== 'open' && <span>{STATE_WORDS[problem.state]}</span>}
      {problem.owner && <span>{problem.owner.name}</span>}
    </span>
  )
}
