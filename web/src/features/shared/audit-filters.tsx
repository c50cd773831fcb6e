import type { AuditFilters, AuditScope } from '@/api/filters'
import type { AuditResult } from '@/api/types'
import { RESULT_WORDS, RESULTS } from '@/api/words'
import { Button } from '@/ui/button'
import { DayField } from '@/ui/field'
import { Select } from '@/ui/select'
import { actionOptions } from './audit-words'
import { TypedSearch } from './typed-search'

const ANY = 'any'
const RESULT_OPTIONS = [{ id: ANY, label: 'Any result' }, ...RESULTS.map((id) => ({ id, label: RESULT_WORDS[id] }))]

export const NO_AUDIT_FILTERS: AuditFilters = { actor: undefined, action: undefined, result: undefined, from: undefined, to: undefined, q: undefined }

interface AuditFilterBarProps {
  scope: AuditScope
  filters: AuditFilters
  onChange: (change: AuditFilters) => void
  /** Absent while nothing is filtered. */
  onClear?: () => void
}

/** Who, what, how it ended, between which days, and any text: all of it in the address. */
export function AuditFilterBar({ scope, filters, onChange, onClear }: AuditFilterBarProps) {
  return (
    <div className="flex min-w-0 flex-wrap items-center gap-2">
      <TypedSearch
        id="search"
        label="Search the audit log"
        placeholder="Search what changed"
        value={filters.q ?? ''}
        onChange={(q) => onChange({ q: q || undefined })}
        className="w-44 flex-auto @3xl:w-52 @3xl:flex-none"
      />
      <TypedSearch
        label="Who"
        placeholder="Who"
        value={filters.actor ?? ''}
        onChange={(actor) => onChange({ actor: actor || undefined })}
        className="w-28 flex-auto @3xl:flex-none"
      />
      <Select
        look="filter"
        label="Action"
        options={actionOptions(scope, filters.action)}
        value={filters.action ?? ANY}
        onChange={(id) => onChange({ action: id === ANY ? undefined : id })}
      />
      <Select
        look="filter"
        label="Result"
        options={RESULT_OPTIONS}
        value={filters.result ?? ANY}
        onChange={(id) => onChange({ result: id === ANY ? undefined : (id as AuditResult) })}
      />
      <div className="flex gap-2">
        <DayField label="From" value={filters.from ?? ''} onChange={(from) => onChange({ from: from || undefined })} />
        <DayField label="To" value={filters.to ?? ''} onChange={(to) => onChange({ to: to || undefined })} />
      </div>
      {onClear && (
        <Button variant="ghost" size="sm" onPress={onClear}>
          Clear
        </Button>
      )}
    </div>
  )
}
