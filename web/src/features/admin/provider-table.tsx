import type { Health, ProviderRates } from '@/api/types'
import { usePageSearch } from '@/features/shared/url-state'
import { ProviderIcon } from '@/provider/provider-icon'
import { Bars } from '@/ui/bars'
import { formatCount, formatPercent, formatTook } from '@/ui/format'
import { Tag } from '@/ui/layout'
import { SortTable, type Column } from '@/ui/sort-table'
import { HealthShape } from '@/ui/status'

const count = (health: Health, label: string): Column<ProviderRates> => ({
  id: health,
  label,
  number: true,
  by: (row) => row[health],
  cell: (row) => (row[health] === 0 ? <span className="text-muted">0</span> : <Count health={health} value={row[health]} />),
})

function Count({ health, value }: { health: Health; value: number }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <HealthShape health={health} small />
      {formatCount(value)}
    </span>
  )
}

const COLUMNS: Column<ProviderRates>[] = [
  {
    id: 'name',
    label: 'Provider',
    by: (row) => row.name,
    cell: (row) => (
      <span className="inline-flex items-center gap-2 font-medium">
        <ProviderIcon provider={row.provider} name={row.name} />
        {row.name}
        {row.incident && <Tag>incident</Tag>}
      </span>
    ),
  },
  { id: 'integrations', label: 'Integrations', number: true, by: (row) => row.integrations, cell: (row) => formatCount(row.integrations) },
  count('healthy', 'Healthy'),
  count('degraded', 'Degraded'),
  count('down', 'Down'),
  count('unknown', 'Unknown'),
  { id: 'checks', label: 'Checks', number: true, by: (row) => row.checks, cell: (row) => formatCount(row.checks) },
  { id: 'success', label: 'Went well', number: true, by: (row) => row.successRate, cell: (row) => (row.successRate === null ? '–' : formatPercent(row.successRate)) },
  { id: 'average', label: 'Average', number: true, by: (row) => row.averageMs, cell: (row) => (row.averageMs === null ? '–' : formatTook(row.averageMs)) },
  { id: 'p95', label: 'p95', number: true, by: (row) => row.p95Ms, cell: (row) => (row.p95Ms === null ? '–' : formatTook(row.p95Ms)) },
  {
    id: 'trend',
    label: 'Trend',
    by: (row) => row.trend.reduce((sum, point) => sum + point.failed, 0),
    cell: (row) => (
      <Bars
        buckets={row.trend.map(({ from, checks, failed }) => ({ at: from, ok: checks - failed, failed }))}
        label={`${row.name}, checks over the window`}
        noun="check"
        className="h-5 w-24"
      />
    ),
  },
]

const WORST_FIRST = 'success'

/** Rates by provider; the address holds the order. */
export function ProviderTable({ providers }: { providers: ProviderRates[] }) {
  const [search, setSearch] = usePageSearch()
  return <SortTable label="Rates by provider" columns={COLUMNS} rows={providers} keyOf={(row) => row.provider} sort={search.sort ?? WORST_FIRST} onSort={(sort) => setSearch({ sort: sort === WORST_FIRST ? undefined : sort })} />
}
