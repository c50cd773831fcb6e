import { useEffect, useRef } from 'react'

/** Keys by name: `j`, `?`, `/`, or two in a row: `g o`. `mod+k` is ⌘K or Ctrl K and works in text fields too. */
export type Hotkeys = Record<string, (event: KeyboardEvent) => void>

/** How long the first key of a sequence waits for the second. */
const SEQUENCE_MS = 900

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
}
const isModalOpen = () => document.querySelector('[role=dialog],[role=alertdialog],[role=listbox],[role=menu]') !== null

/** Binds keys while the component is mounted. */
export function useHotkeys(hotkeys: Hotkeys) {
  const current = useRef(hotkeys)
  useEffect(() => {
    current.current = hotkeys
  })
  useEffect(() => {
    let first = ''
    let firstAt = 0
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.altKey) return
      const name = event.ctrlKey || event.metaKey ? `mod+${event.key.toLowerCase()}` : event.key
      if (!name.startsWith('mod+') && (isTyping(event.target) || isModalOpen())) return
      const sequence = event.timeStamp - firstAt < SEQUENCE_MS ? `${first} ${name}` : ''
      const bound = current.current[sequence] ?? current.current[name]
      first = name
      firstAt = event.timeStamp
      if (!bound) return
      event.preventDefault()
      bound(event)
    }
    document.addEventListener('keydown', onKeyDown)
    return () => document.removeEventListener('keydown', onKeyDown)
  }, [])
}

/** Moves the focus among the page's rows (`data-row`), as j and k do; enter then opens the focused one. */
export function moveRow(step: 1 | -1) {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')].filter((row) => row.offsetParent !== null)
  const at = rows.findIndex((row) => row === document.activeElement)
  const next = at < 0 ? (step > 0 ? rows[0] : rows.at(-1)) : rows[at + step]
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
}

/** Goes to the page's search box: the `SearchField` with the id `search`. */
export function focusSearch() {
  document.querySelector<HTMLInputElement>('input#search')?.focus()
}
