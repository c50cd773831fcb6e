import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { eventQuery, useFeedback } from '@/api/queries/events'
import { useRole } from '@/api/queries/session'
import type { Category, Problem } from '@/api/types'
import { CATEGORIES, CATEGORY_WORDS } from '@/api/words'
import { Button, Toggle } from '@/ui/button'
import { ThumbDownIcon, ThumbUpIcon } from '@/ui/icons'
import { Select } from '@/ui/select'
import { FormError } from '@/ui/states'
import { toast } from '@/ui/toast'

interface FeedbackMarksProps {
  eventId: string
  /** The category the explanation has now; the correction starts from it. */
  category: Category
  /** What everybody has said of explanations of this problem. */
  votes?: Problem['helpful']
}

const CATEGORY_OPTIONS = CATEGORIES.map((id) => ({ id, label: CATEGORY_WORDS[id] }))

/** "Was this explanation helpful?", and after a no: which category is right. */
export function FeedbackMarks({ eventId: shown, category, votes }: FeedbackMarksProps) {
  // The mark stays with the event it was first shown for: in a storm a problem's latest event changes every second.
  const [eventId] = useState(shown)
  const given = useQuery(eventQuery(eventId)).data?.feedback
  const feedback = useFeedback()
  const { canTriage } = useRole()
  const [correcting, setCorrecting] = useState(false)
  const helpful = feedback.data?.helpful ?? given?.helpful ?? null
  const mark = (value: boolean) => {
    setCorrecting(!value)
    feedback.mutate({ eventId, helpful: value })
  }
  if (!canTriage) return null
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-2" role="group" aria-label="Was this explanation helpful?">
        <span className="text-12 text-muted">Explanation</span>
        <Toggle isSelected={helpful === true} onChange={() => mark(true)} isDisabled={feedback.isPending}>
          <ThumbUpIcon className="size-3.5" /> Helpful
        </Toggle>
        <Toggle isSelected={helpful === false} onChange={() => mark(false)} isDisabled={feedback.isPending}>
          <ThumbDownIcon className="size-3.5" /> Not helpful
        </Toggle>
        {votes && votes.yes + votes.no > 0 && (
          <span className="text-12 text-muted">
            {votes.yes} of {votes.yes + votes.no} found it helpful
          </span>
        )}
        {!correcting && (
          <Button variant="ghost" size="sm" onPress={() => setCorrecting(true)}>
            Wrong category?
          </Button>
        )}
      </div>
      {correcting && (
        <div className="flex flex-wrap items-center gap-2">
          <span className="text-12 text-muted">The right category is</span>
          <Select
            look="filter"
            label="Right category"
            options={CATEGORY_OPTIONS}
            value={feedback.data?.category ?? given?.category ?? category}
            onChange={(chosen) => {
              feedback.mutate({ eventId, category: chosen as Category })
              setCorrecting(false)
              toast(`Corrected to ${CATEGORY_WORDS[chosen as Category]}; failures like this keep it from now on.`)
            }}
          />
          <Button variant="ghost" size="sm" onPress={() => setCorrecting(false)}>
            Keep {CATEGORY_WORDS[category]}
          </Button>
        </div>
      )}
      <FormError error={feedback.error} />
    </div>
  )
}
