import type { ReactNode } from 'react'
import { MoonIcon, SunIcon, SystemIcon } from '@/ui/icons'
import { Panel } from '@/ui/layout'
import { setDensity, setTheme, useDensity, useTheme, type Density, type Theme } from '@/ui/preferences'
import { Segmented } from '@/ui/segmented'

const THEMES: { id: Theme; label: ReactNode }[] = [
  { id: 'light', label: <><SunIcon className="size-3.5" /> Light</> },
  { id: 'dark', label: <><MoonIcon className="size-3.5" /> Dark</> },
  { id: 'system', label: <><SystemIcon className="size-3.5" /> System</> },
]
const DENSITIES: { id: Density; label: string }[] = [
  { id: 'comfortable', label: 'Comfortable' },
  { id: 'compact', label: 'Compact' },
]

/** How this browser shows things; nobody else is affected. */
export function Appearance() {
  const theme = useTheme()
  const density = useDensity()
  return (
    <Panel id="appearance" title="Appearance">
      <div className="flex flex-col divide-y divide-line">
        <Row title="Theme" text="System follows your computer, at night too.">
          <Segmented label="Theme" value={theme} options={THEMES} onChange={setTheme} />
        </Row>
        <Row title="Density" text="Compact shows about a quarter more rows of a log.">
          <Segmented label="Density" value={density} options={DENSITIES} onChange={setDensity} />
        </Row>
      </div>
      <p className="border-t border-line px-4 py-2 text-12 text-muted">Kept in this browser.</p>
    </Panel>
  )
}

function Row({ title, text, children }: { title: string; text: string; children: ReactNode }) {
  return (
    <div className="flex flex-wrap items-center gap-x-6 gap-y-2 px-4 py-3">
      <div className="min-w-0 flex-1 basis-56">
        <h3 className="text-13 font-medium">{title}</h3>
        <p className="text-12 text-muted">{text}</p>
      </div>
      {children}
    </div>
  )
}
