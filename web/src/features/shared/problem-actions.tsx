import { useChangeProblem } from '@/api/queries/problems'
import { useRole, useSession } from '@/api/queries/session'
import type { Problem, ProblemState } from '@/api/types'
import { STATE_WORDS } from '@/api/words'
import { Button } from '@/ui/button'
import { useHotkeys } from '@/ui/hotkeys'
import { FormError } from '@/ui/states'
import { toast } from '@/ui/toast'

const NEXT: Record<ProblemState, [state: ProblemState, label: string][]> = {
  open: [
    ['acknowledged', 'Acknowledge'],
    ['resolved', 'Resolve'],
    ['ignored', 'Ignore'],
  ],
  acknowledged: [
    ['resolved', 'Resolve'],
    ['ignored', 'Ignore'],
    ['open', 'Reopen'],
  ],
  resolved: [['open', 'Reopen']],
  ignored: [['open', 'Stop ignoring']],
}

/** Moves a problem to another state, and offers the way back. */
export function useMoveProblem() {
  const change = useChangeProblem()
  const move = (problem: Problem, state: ProblemState) =>
    change.mutate(
      { problem, state },
      {
        onSuccess: (moved) =>
          toast(`${STATE_WORDS[state]}: ${problem.title}`, () => change.mutate({ problem: moved, state: problem.state })),
      },
    )
  return { change, move }
}

/** `a` acknowledges and `r` resolves the problem whose row has the focus, else the one that is shown. */
export function useProblemKeys(problems: Problem[] | undefined, shownId?: string) {
  const { move } = useMoveProblem()
  const { canTriage } = useRole()
  const decide = (next: ProblemState) => () => {
    const focusedId = document.activeElement instanceof HTMLElement ? document.activeElement.dataset['row'] : undefined
    const problem = problems?.find((item) => item.id === focusedId) ?? problems?.find((item) => item.id === shownId)
    if (canTriage && problem && problem.state !== next) move(problem, next)
  }
  useHotkeys({ a: decide('acknowledged'), r: decide('resolved') })
}

/** Acknowledge, resolve, ignore, and who looks after it. */
export function ProblemActions({ problem }: { problem: Problem }) {
  const { change, move } = useMoveProblem()
  const { user } = useSession()
  const { canTriage } = useRole()
  if (!canTriage) return null
  const mine = user !== null && problem.owner?.id === user.id
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-2">
        {NEXT[problem.state].map(([state, label], index) => (
          <Button
            key={state}
            size="sm"
            variant={index === 0 ? 'primary' : 'secondary'}
            isDisabled={change.isPending}
            onPress={() => move(problem, state)}
          >
            {label}
          </Button>
        ))}
        {user && (
          <Button
            size="sm"
            variant="ghost"
            isDisabled={change.isPending}
            onPress={() => change.mutate({ problem, ownerId: mine ? null : user.id })}
          >
            {mine ? 'Unassign me' : 'Assign to me'}
          </Button>
        )}
      </div>
      <FormError error={change.error} />
    </div>
  )
}
