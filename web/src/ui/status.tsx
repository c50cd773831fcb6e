import type { Health, Severity } from '@/api/types'
import { HEALTH_WORDS, SEVERITIES, SEVERITY_WORDS } from '@/api/words'
import { cx } from './cx'

const HEALTH_COLOUR: Record<Health, string> = {
  healthy: 'text-ok',
  degraded: 'text-warn',
  down: 'text-bad',
  unknown: 'text-faint',
}
const HEALTH_CHIP: Record<Health, string> = {
  healthy: 'bg-ok-wash text-ok',
  degraded: 'bg-warn-wash text-warn',
  down: 'bg-bad-wash text-bad',
  unknown: 'bg-n3 text-muted',
}

const SHAPES = {
  healthy: <circle cx="6" cy="6" r="4" fill="currentColor" />,
  degraded: <path d="M6 1.5 11 10.500H1Z" fill="currentColor" />,
  down: <path d="m2.5 2.5 7 7m0-7-7 7" stroke="currentColor" strokeWidth="2.4" strokeLinecap="round" />,
  unknown: <circle cx="6" cy="6" r="3.6" fill="none" stroke="currentColor" strokeWidth="1.6" />,
}

interface HealthShapeProps {
  health: Health
  /** Say the word to screen readers, where none is written beside it. */
  label?: boolean
  small?: boolean
  /** Its place only. */
  className?: string
}

/** The shape of a health: ● ▲ ✕ ○. Never alone: a word stands beside it or it has a label. */
export function HealthShape({ health, label, small, className }: HealthShapeProps) {
  return (
    <svg
      viewBox="0 0 12 12"
      className={cx('shrink-0', small ? 'size-2.5' : 'size-3', HEALTH_COLOUR[health], className)}
      {...(label ? { role: 'img', 'aria-label': HEALTH_WORDS[health] } : { 'aria-hidden': true })}
    >
      {SHAPES[health]}
    </svg>
  )
}

export function HealthChip({ health }: { health: Health }) {
  return (
    <span
      className={cx(
        'inline-flex h-5 items-center gap-1.5 rounded-sm px-1.5 text-12 font-medium whitespace-nowrap',
        HEALTH_CHIP[health],
      )}
    >
      <HealthShape health={health} small />
      {HEALTH_WORDS[health]}
    </span>
  )
}

/** Shape and word without a box, for dense places. */
export function HealthWord({ health }: { health: Health }) {
  return (
    <span className={cx('inline-flex items-center gap-1.5 text-12 font-medium whitespace-nowrap', HEALTH_COLOUR[health])}>
      <HealthShape health={health} small />
      {HEALTH_WORDS[health]}
    </span>
  )
}

/** Success, failure or neutral of one event: the shapes of health, so that there is one alphabet. */
export function OutcomeShape({ status }: { status: 'success' | 'failure' | null }) {
  const [health, word] =
    status === 'failure'
      ? (['down', 'Failed'] as const)
      : status === 'success'
        ? (['healthy', 'Succeeded'] as const)
        : (['unknown', 'Neutral'] as const)
  return (
    <svg viewBox="0 0 12 12" role="img" aria-label={word} className={cx('size-2.5 shrink-0', HEALTH_COLOUR[health])}>
      {SHAPES[health]}
    </svg>
  )
}

const SEVERITY_COLOUR: Record<Severity, string> = {
  critical: 'text-bad',
  high: 'text-warn',
  medium: 'text-muted',
  low: 'text-faint',
}
const LEVELS = [0, 1, 2, 3]

/** Severity as rising bars and a word. */
export function SeverityMark({ severity, word = true }: { severity: Severity; word?: boolean }) {
  const level = SEVERITIES.length - SEVERITIES.indexOf(severity)
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap" title={`Severity: ${SEVERITY_WORDS[severity]}`}>
      <svg viewBox="0 0 14 12" className={cx('h-3 w-3.5 shrink-0', SEVERITY_COLOUR[severity])} aria-hidden="true">
        {LEVELS.map((bar) => (
          <rect
            key={bar}
            x={bar * 3.6}
            y={9 - bar * 3}
            width="2.6"
            height={3 + bar * 3}
            rx="0.6"
            fill="currentColor"
            opacity={bar < level ? 1 : 0.22}
          />
        ))}
      </svg>
      <span className={word ? undefined : 'sr-only'}>{SEVERITY_WORDS[severity]}</span>
    </span>
  )
}
