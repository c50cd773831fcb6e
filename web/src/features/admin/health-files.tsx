import type { MouseEvent } from 'react'
import type { AdminWindow } from '@/api/filters'
import { adminHealthFile, useAllowHealthFile, type FileFormat } from '@/api/queries/health'
import { useSession } from '@/api/queries/session'
import { buttonClass } from '@/ui/button'
import { useNow } from '@/ui/time'
import { toast } from '@/ui/toast'

const FORMATS: [format: FileFormat, label: string, title: string][] = [
  ['csv', 'Export CSV', 'The checks of the window, for a spreadsheet'],
  ['json', 'Export JSON', 'The checks of the window, for a program'],
]

/** The checks of the window as a file. A download cannot be asked for a proof, so the proof is made before it. */
export function HealthFiles({ window }: { window: AdminWindow }) {
  const { sudoUntil } = useSession()
  const allow = useAllowHealthFile(window)
  const now = useNow()
  const save = (event: MouseEvent, format: FileFormat) => {
    event.preventDefault()
    const go = () => globalThis.location.assign(adminHealthFile(format, window, now()))
    if (sudoUntil && Date.parse(sudoUntil) > now()) return go()
    allow.mutate(undefined, { onSuccess: go, onError: (error) => toast(error.message) })
  }
  return FORMATS.map(([format, label, title]) => (
    <button key={format} type="button" title={title} onClick={(event) => save(event, format)} className={buttonClass('secondary', 'sm')}>
      {label}
    </button>
  ))
}
