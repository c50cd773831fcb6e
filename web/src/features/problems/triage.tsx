import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { problemsQuery } from '@/api/queries/problems'
import type { Problem } from '@/api/types'
import { Explanation } from '@/features/shared/explanation'
import { FeedbackMarks } from '@/features/shared/feedback'
import { ProblemActions, useProblemKeys } from '@/features/shared/problem-actions'
import { ProblemLine } from '@/features/shared/problem-line'
import { withEvent } from '@/features/shared/url-state'
import { ProviderIcon } from '@/provider/provider-icon'
import { cx } from '@/ui/cx'
import { ChevronIcon } from '@/ui/icons'
import { Panel } from '@/ui/layout'
import { TextLink } from '@/ui/link'
import { Segmented } from '@/ui/segmented'
import { Empty, Loaded, SkeletonRows } from '@/ui/states'
import { SeverityMark } from '@/ui/status'

type Queue = 'open' | 'acknowledged'

/** The open problems, worst first, the first one unfolded: explanation, steps, impact, and what to decide. */
export function Triage() {
  const [queue, setQueue] = useState<Queue>('open')
  const open = useQuery(problemsQuery({ state: 'open' }))
  const acknowledged = useQuery(problemsQuery({ state: 'acknowledged' }))
  const query = queue === 'open' ? open : acknowledged
  useProblemKeys(query.data)
  return (
    <Panel
      id="triage"
      title="Triage"
      aside={
        <Segmented
          label="Problems to show"
          value={queue}
          onChange={setQueue}
          options={[
            { id: 'open', label: <Counted word="Open" count={open.data?.length} /> },
            { id: 'acknowledged', label: <Counted word="Acknowledged" count={acknowledged.data?.length} /> },
          ]}
        />
      }
    >
      <Loaded query={query} loading={<SkeletonRows rows={6} label="Loading problems" />}>
        {(problems) => <ProblemList key={queue} queue={queue} problems={problems} />}
      </Loaded>
    </Panel>
  )
}

function Counted({ word, count }: { word: string; count: number | undefined }) {
  return (
    <>
      {word} {count !== undefined && <span className="text-muted">{count}</span>}
    </>
  )
}

function ProblemList({ queue, problems }: { queue: Queue; problems: Problem[] }) {
  const [chosen, setChosen] = useState<string | null | undefined>()
  // Until somebody chooses, the worst is unfolded; null means that somebody folded it.
  const unfolded = chosen === undefined ? problems[0]?.id : chosen
  if (problems.length === 0) {
    return queue === 'open' ? (
      <Empty title="Nothing to triage">Each new kind of failure appears here once, explained, with its fix.</Empty>
    ) : (
      <Empty title="Nobody is working on a problem">Acknowledged problems wait here until they are resolved.</Empty>
    )
  }
  return (
    <ul className="divide-y divide-line">
      {problems.map((problem) => (
        <TriageItem
          key={problem.id}
          problem={problem}
          isOpen={problem.id === unfolded}
          onToggle={() => setChosen(problem.id === unfolded ? null : problem.id)}
        />
      ))}
    </ul>
  )
}

interface TriageItemProps {
  problem: Problem
  isOpen: boolean
  onToggle: () => void
}

function TriageItem({ problem, isOpen, onToggle }: TriageItemProps) {
  const bodyId = `triage-${problem.id}`
  return (
    <li>
      <h3>
        <button
          type="button"
          aria-expanded={isOpen}
          aria-controls={bodyId}
          data-row={problem.id}
          onClick={onToggle}
          className="flex w-full items-start gap-3 px-4 py-2.5 text-left focus-inset hover:bg-n3"
        >
          <ProviderIcon provider={problem.provider} name={problem.integrationName} size="md" />
          <span className="min-w-0 flex-1">
            <span className="flex items-baseline gap-2">
              <span className={cx('min-w-0 text-13 font-medium', !isOpen && 'truncate')}>{problem.title}</span>
            </span>
            <ProblemLine problem={problem} />
          </span>
          <span className="mt-0.5 flex items-center gap-2 text-12 text-muted">
            <SeverityMark severity={problem.classification.severity} />
            <ChevronIcon className={cx('size-3', isOpen && 'rotate-90')} />
          </span>
        </button>
      </h3>
      {isOpen && (
        <div id={bodyId} className="flex flex-col gap-4 px-4 pt-1 pb-4 sm:pl-14">
          <Explanation classification={problem.classification} />
          {problem.lastEventId && (
            <FeedbackMarks
              eventId={problem.lastEventId}
              category={problem.classification.category}
              votes={problem.helpful}
            />
          )}
          <ProblemActions problem={problem} />
          <p className="flex flex-wrap gap-x-4 text-12">
            {problem.lastEventId && <TextLink {...withEvent(problem.lastEventId)}>Latest event and payload</TextLink>}
            <TextLink to="/problems/$id" params={{ id: problem.id }}>
              Open the problem
            </TextLink>
          </p>
        </div>
      )}
    </li>
  )
}
