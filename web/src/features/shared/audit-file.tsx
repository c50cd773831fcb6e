import type { MouseEvent } from 'react'
import type { AuditFilters, AuditScope } from '@/api/filters'
import { auditFile, useAllowAuditFile } from '@/api/queries/audit'
import { useSession } from '@/api/queries/session'
import { buttonClass } from '@/ui/button'
import { toast } from '@/ui/toast'

const FORMATS = [
  { id: 'csv', label: 'Export CSV', title: 'The rows that match, for a spreadsheet' },
  { id: 'json', label: 'Export JSON', title: 'The rows that match, one object a line' },
] as const

/** The rows under these filters as a file. */
export function AuditFile({ scope, filters }: { scope: AuditScope; filters: AuditFilters }) {
  const { sudoUntil } = useSession()
  const allow = useAllowAuditFile(scope)
  // A download cannot be asked for a proof, so the proof is made before it.
  const prepare = (event: MouseEvent<HTMLAnchorElement>) => {
    if (sudoUntil && Date.parse(sudoUntil) > Date.now()) return
    event.preventDefault()
    const { href } = event.currentTarget
    allow.mutate(undefined, {
      onSuccess: () => globalThis.location.assign(href),
      onError: (error) => toast(error.message),
    })
  }
  return FORMATS.map((format) => (
    <a
      key={format.id}
      href={auditFile(scope, filters, format.id)}
      download
      title={format.title}
      onClick={prepare}
      className={buttonClass('secondary', 'sm')}
    >
      {format.label}
    </a>
  ))
}
