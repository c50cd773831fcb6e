import type { HealthNow, LadderStep } from '@/api/types'
import { RUNGS, RUNG_WORDS } from '@/api/words'
import { cx } from '@/ui/cx'
import { formatTook } from '@/ui/format'
import { HealthShape } from '@/ui/status'
import { useDays } from '@/ui/time'

type Outcome = 'ok' | 'failed' | 'unreached'
const OUTCOMES = {
  ok: ['healthy', 'passed'],
  failed: ['down', 'failed'],
  unreached: ['unknown', 'not reached'],
} as const

interface Step {
  key: string
  label: string
  outcome: Outcome
  step: LadderStep | null
}

/** What the last check climbed, in order, with the time of each rung; the one that failed, and those after it. */
export function Ladder({ current }: { current: HealthNow }) {
  return (
    <ol aria-label="Rungs of the last check" className="divide-y divide-line">
      {stepsOf(current).map(({ key, label, outcome, step }) => {
        const [shape, word] = OUTCOMES[outcome]
        return (
          <li
            key={key}
            className={cx(
              'grid grid-cols-[auto_minmax(0,1fr)_auto] items-baseline gap-x-3 px-4 py-1.5 text-13 sm:grid-cols-[auto_11rem_minmax(0,1fr)_auto]',
              outcome === 'failed' && 'bg-bad-wash',
            )}
          >
            <HealthShape health={shape} small />
            <span className={cx('min-w-0 truncate', outcome === 'unreached' ? 'text-muted' : 'font-medium')}>{label}</span>
            <span className={cx('min-w-0 text-12 break-words max-sm:col-start-2 max-sm:row-start-2', outcome === 'failed' ? 'font-medium text-bad' : 'text-muted')}>
              {word}
              <Note step={step} current={current} />
            </span>
            <span className="text-right text-muted">{step?.ms !== null && step?.ms !== undefined && formatTook(step.ms)}</span>
          </li>
        )
      })}
    </ol>
  )
}

/** What was climbed; after a failure also what was not reached. */
function stepsOf({ ladder }: HealthNow): Step[] {
  const climbed = ladder.map((step, index): Step => ({
    key: `${step.rung}-${step.name}-${index}`,
    label: step.name && step.name !== step.rung ? `${RUNG_WORDS[step.rung] ?? step.rung}: ${step.name}` : (RUNG_WORDS[step.rung] ?? step.rung),
    outcome: step.ok ? 'ok' : 'failed',
    step,
  }))
  const failed = ladder.find((step) => !step.ok)
  if (!failed) return climbed
  const seen = new Set(ladder.map((step) => step.rung))
  const after = RUNGS.slice(RUNGS.indexOf(failed.rung) + 1).filter((rung) => rung !== 'quota' && !seen.has(rung))
  return [...climbed, ...after.map((rung): Step => ({ key: rung, label: RUNG_WORDS[rung] ?? rung, outcome: 'unreached', step: null }))]
}

function Note({ step, current }: { step: LadderStep | null; current: HealthNow }) {
  if (!step) return null
  const scopes = step.rung === 'scopes' && current.scopes ? scopesText(current.scopes) : null
  return (
    <>
      {scopes && `: ${scopes}`}
      {step.rung === 'tls' && current.certificateEndsAt && <CertificateEnds at={current.certificateEndsAt} />}
      {step.note && `: ${step.note}`}
    </>
  )
}

function scopesText({ granted, missing }: NonNullable<HealthNow['scopes']>): string {
  const all = granted.length + missing.length
  return missing.length === 0 ? `${granted.length} of ${all}` : `${granted.length} of ${all}, without ${missing.join(', ')}`
}

function CertificateEnds({ at }: { at: string }) {
  const days = useDays(at)
  return <span title={`The certificate ends on ${at}`}>{days < 0 ? ', the certificate has expired' : `, the certificate expires in ${days === 1 ? 'a day' : `${days} days`}`}</span>
}
