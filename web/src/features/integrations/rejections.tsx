import type { Json, Rejection } from '@/api/types'
import { plural } from '@/ui/format'
import { HealthShape } from '@/ui/status'
import { Ago } from '@/ui/time'

/** Deliveries that failed verification, by reason: what that means and what to try. Their bodies are not kept. */
export function RejectionList({ rejections }: { rejections: Rejection[] }) {
  return (
    <ul className="divide-y divide-line">
      {rejections.map((rejection) => (
        <li key={rejection.reason} className="flex gap-3 px-4 py-3 text-13">
          <HealthShape health="degraded" className="mt-1" />
          <div className="min-w-0 flex-1">
            <p className="font-medium text-pretty">{rejection.explanation}</p>
            <p className="text-pretty text-muted">{rejection.hint}</p>
            <p className="mt-1 flex flex-wrap gap-x-3 text-12 text-muted">
              <span>{plural(rejection.count, 'delivery', 'deliveries')}</span>
              <span>
                last <Ago at={rejection.lastAt} />
              </span>
              <code className="font-mono">{rejection.reason}</code>
              {Object.entries(rejection.detail).map(([name, value]) => (
                <span key={name}>
                  {name}: <code className="font-mono">{short(value)}</code>
                </span>
              ))}
            </p>
          </div>
        </li>
      ))}
    </ul>
  )
}

const short = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value))
