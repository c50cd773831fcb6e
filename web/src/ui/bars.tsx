import type { Bucket } from '@/api/types'
import { cx } from './cx'
import { formatHour, plural } from './format'

const STEP = 10
const GAP = 2

interface BarsProps {
  buckets: Bucket[]
  /** What the bars show, for those who cannot see them. */
  label: string
  /** What is counted. */
  noun?: string
  className?: string
}

/**
 * Outcomes per hour: height is the number of events, the red part failed. Grey where all went well,
 * because a healthy page is quiet. An hour with a failure shows at least a sliver of red.
 */
export function Bars({ buckets, label, noun = 'event', className }: BarsProps) {
  const height = 40
  const most = Math.max(1, ...buckets.map((bucket) => bucket.ok + bucket.failed))
  const total = buckets.reduce((sum, bucket) => sum + bucket.ok + bucket.failed, 0)
  const failed = buckets.reduce((sum, bucket) => sum + bucket.failed, 0)
  return (
    <svg
      viewBox={`0 0 ${Math.max(1, buckets.length) * STEP - GAP} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: ${plural(total, noun)}, ${formatFailed(failed)}`}
      className={cx('block w-full', className)}
    >
      {buckets.map((bucket, index) => (
        <Bar key={bucket.at} bucket={bucket} x={index * STEP} height={height} most={most} noun={noun} />
      ))}
    </svg>
  )
}

const formatFailed = (failed: number) => (failed === 0 ? 'none failed' : `${failed} failed`)

function Bar({ bucket, x, height, most, noun }: { bucket: Bucket; x: number; height: number; most: number; noun: string }) {
  const total = bucket.ok + bucket.failed
  const scale = (height - 2) / most
  const bad = bucket.failed === 0 ? 0 : Math.max(3, bucket.failed * scale)
  const good = bucket.ok === 0 ? 0 : Math.max(1.5, bucket.ok * scale)
  const width = STEP - GAP
  return (
    <g>
      <title>{`${formatHour(bucket.at)}: ${plural(total, noun)}, ${formatFailed(bucket.failed)}`}</title>
      <rect x={x} y="0" width={STEP} height={height} fill="transparent" />
      {total === 0 && <rect x={x} y={height - 1} width={width} height="1" className="fill-line-strong" />}
      <rect x={x} y={Math.max(0, height - good - bad)} width={width} height={good} className="fill-n7" />
      <rect x={x} y={height - bad} width={width} height={bad} className="fill-bad" />
    </g>
  )
}
