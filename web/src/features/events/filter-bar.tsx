import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { integrationsQuery } from '@/api/queries/integrations'
import type { EventFilters } from '@/api/filters'
import type { Category } from '@/api/types'
import { CATEGORIES, CATEGORY_WORDS } from '@/api/words'
import { TypedSearch } from '@/features/shared/typed-search'
import { ProviderIcon } from '@/provider/provider-icon'
import { Button, Toggle } from '@/ui/button'
import { Select, type Option } from '@/ui/select'

const ANY = 'any'
const CATEGORY_OPTIONS: Option[] = [
  { id: ANY, label: 'Any category' },
  ...CATEGORIES.map((id) => ({ id, label: CATEGORY_WORDS[id] })),
]

interface FilterBarProps {
  filters: EventFilters
  onChange: (change: EventFilters) => void
  /** On an integration's own page there is one provider. */
  ownIntegration?: boolean
}

/** Failures only, provider, category, search: all of it in the address. */
export function FilterBar({ filters, onChange, ownIntegration }: FilterBarProps) {
  const filtered = Object.values(filters).some((value) => value !== undefined)
  return (
    <div className="flex min-w-0 flex-wrap items-center gap-2">
      <Toggle
        isSelected={filters.status === 'failure'}
        onChange={(on) => onChange({ status: on ? 'failure' : undefined })}
      >
        Failures only
      </Toggle>
      {!ownIntegration && <ProviderFilter filters={filters} onChange={onChange} />}
      <Select
        look="filter"
        label="Category"
        options={CATEGORY_OPTIONS}
        value={filters.category ?? ANY}
        onChange={(id) => onChange({ category: id === ANY ? undefined : (id as Category) })}
      />
      <TypedSearch
        id="search"
        label="Search events by message, code or type"
        placeholder="Search message, code, type"
        value={filters.q ?? ''}
        onChange={(q) => onChange({ q: q || undefined })}
        className="w-56 flex-auto @2xl:flex-none"
      />
      {filtered && (
        <Button
          variant="ghost"
          size="sm"
          onPress={() => onChange({ status: undefined, provider: undefined, category: undefined, severity: undefined, kind: undefined, q: undefined })}
        >
          Clear
        </Button>
      )}
    </div>
  )
}

function ProviderFilter({ filters, onChange }: Pick<FilterBarProps, 'filters' | 'onChange'>) {
  const { data: integrations } = useQuery(integrationsQuery)
  const options = useMemo(() => {
    const names = new Map(integrations?.map((item) => [item.provider, item.providerName]))
    const providers = [...names].toSorted(([, a], [, b]) => a.localeCompare(b))
    return [
      { id: ANY, label: 'Any provider' },
      ...providers.map(([id, label]) => ({ id, label, icon: <ProviderIcon provider={id} name={label} /> })),
    ]
  }, [integrations])
  return (
    <Select
      look="filter"
      label="Provider"
      options={options}
      value={filters.provider ?? ANY}
      onChange={(id) => onChange({ provider: id === ANY ? undefined : id })}
    />
  )
}
