import { useSyncExternalStore } from 'react'

export type Theme = 'light' | 'dark' | 'system'
export type Density = 'comfortable' | 'compact'

// The same keys are read by the script that runs before first paint.
const THEME_KEY = 'lk.theme'
const DENSITY_KEY = 'lk.density'

const systemDark = globalThis.matchMedia?.('(prefers-color-scheme: dark)')
const listeners = new Set<() => void>()

function readTheme(): Theme {
  const stored = localStorage.getItem(THEME_KEY)
  return stored === 'light' || stored === 'dark' ? stored : 'system'
}
function readDensity(): Density {
  return localStorage.getItem(DENSITY_KEY) === 'compact' ? 'compact' : 'comfortable'
}

function apply() {
  const theme = readTheme()
  const dark = theme === 'dark' || (theme === 'system' && systemDark?.matches === true)
  document.documentElement.dataset['theme'] = dark ? 'dark' : 'light'
  document.documentElement.dataset['density'] = readDensity()
  for (const listener of listeners) listener()
}

function store(key: string, value: string) {
  localStorage.setItem(key, value)
  apply()
}
export const setTheme = (theme: Theme) => store(THEME_KEY, theme)
export const setDensity = (density: Density) => store(DENSITY_KEY, density)

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
// The system's theme and another tab's choice both change what is on screen.
systemDark?.addEventListener('change', apply)
globalThis.addEventListener('storage', apply)

export const useTheme = () => useSyncExternalStore(subscribe, readTheme)
export const useDensity = () => useSyncExternalStore(subscribe, readDensity)
/** What is on screen: the choice, or what the system has. */
export const useAppliedTheme = () => useSyncExternalStore(subscribe, () => document.documentElement.dataset['theme'] ?? 'light')
