import { useCheckAudit } from '@/api/queries/audit'
import type { AuditCheck } from '@/api/types'
import { Button } from '@/ui/button'
import { CopyBox } from '@/ui/copy'
import { formatCount, plural } from '@/ui/format'
import { Panel } from '@/ui/layout'
import { FormError } from '@/ui/states'
import { HealthShape } from '@/ui/status'

/** Every row of the log is chained to the one before; here the chain is followed from end to end. */
export function AuditCheckPanel() {
  const check = useCheckAudit()
  return (
    <Panel id="audit-check" title="Is the log whole?">
      <div className="flex flex-col gap-3 p-4 text-13">
        <div className="flex flex-wrap items-center gap-3">
          <p className="min-w-0 flex-1 basis-64 text-pretty text-muted">
            Each row is chained to the one before it. Checking follows the chain and finds rows that were edited or taken away in the database.
          </p>
          <Button isDisabled={check.isPending} onPress={() => check.mutate()}>
            {check.isPending ? 'Checking' : 'Check the log'}
          </Button>
        </div>
        <FormError error={check.error} />
        <div aria-live="polite">{check.data && <Verdict check={check.data} />}</div>
      </div>
    </Panel>
  )
}

function Verdict({ check }: { check: AuditCheck }) {
  if (check.problem) {
    return (
      <div className="flex items-start gap-2">
        <HealthShape health="down" className="mt-1" />
        <p className="min-w-0">
          <strong className="font-semibold">The log is not whole: {check.problem.message}</strong> Compare with a backup, and find out who can write to the database.
        </p>
      </div>
    )
  }
  return (
    <div className="flex flex-col gap-2">
      <p className="flex items-start gap-2">
        <HealthShape health="healthy" className="mt-1" />
        <span>
          The log is whole: {plural(check.rows, 'row')}, none missing, none edited.
        </span>
      </p>
      {check.head && (
        <div className="flex flex-col gap-1">
          <p className="text-12 text-muted">
            Keep this fingerprint of row {formatCount(check.head.seq)} elsewhere: a later check against it also shows whether the end was cut off.
          </p>
          <CopyBox value={check.head.hash} label="fingerprint" />
        </div>
      )}
    </div>
  )
}
