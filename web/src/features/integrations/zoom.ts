import { useMemo } from 'react'
import { usePageSearch } from '@/features/shared/url-state'
import type { ChartRange } from '@/ui/time-chart'

/** The part of time that charts show, from the address: `zoom=<from>-<to>` in milliseconds. */
export function useZoom(): [ChartRange | null, (range: ChartRange | null) => void] {
  const [{ zoom: text }, setSearch] = usePageSearch()
  const zoom = useMemo((): ChartRange | null => {
    const [from, to] = (text ?? '').split('-').map(Number)
    return from && to && from < to ? [from, to] : null
  }, [text])
  return [zoom, (range) => setSearch({ zoom: range ? `${range[0]}-${range[1]}` : undefined })]
}
