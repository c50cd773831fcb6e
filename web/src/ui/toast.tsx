import { useSyncExternalStore } from 'react'
import { Button, IconButton } from './button'
import { CloseIcon } from './icons'

interface Toast {
  id: number
  text: string
  undo?: (() => void) | undefined
}

/** Long enough to read a sentence and reach "Undo". */
const SHOWN_MS = 7000

let toasts: Toast[] = []
let nextId = 1
const listeners = new Set<() => void>()

function set(next: Toast[]) {
  toasts = next
  for (const listener of listeners) listener()
}
const dismiss = (id: number) => set(toasts.filter((toast) => toast.id !== id))

/** Says what the person has just done, and offers to take it back where that can be had. */
export function toast(text: string, undo?: () => void) {
  const id = nextId++
  set([...toasts.slice(-2), { id, text, undo }])
  setTimeout(() => dismiss(id), SHOWN_MS)
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts)
  return (
    <div
      role="status"
      className="pointer-events-none fixed inset-x-0 bottom-16 z-50 flex flex-col items-center gap-2 px-4 md:bottom-6"
    >
      {shown.map((item) => (
        <div
          key={item.id}
          className="pointer-events-auto flex max-w-full items-center gap-2 rounded-md bg-surface py-1.5 pr-1.5 pl-3 text-13 shadow-float"
        >
          <span className="min-w-0">{item.text}</span>
          {item.undo && (
            <Button
              size="sm"
              variant="ghost"
              onPress={() => {
                item.undo?.()
                dismiss(item.id)
              }}
            >
              Undo
            </Button>
          )}
          <IconButton label="Dismiss" size="sm" onPress={() => dismiss(item.id)}>
            <CloseIcon className="size-3" />
          </IconButton>
        </div>
      ))}
    </div>
  )
}
