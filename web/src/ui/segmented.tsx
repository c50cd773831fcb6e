import { ToggleButton, ToggleButtonGroup } from 'react-aria-components'
import type { ReactNode } from 'react'

interface SegmentedProps<T extends string> {
  label: string
  value: T
  options: { id: T; label: ReactNode; name?: string }[]
  onChange: (value: T) => void
}

/** A choice among two to four, all in sight. */
export function Segmented<T extends string>({ label, value, options, onChange }: SegmentedProps<T>) {
  return (
    <ToggleButtonGroup
      aria-label={label}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[value]}
      onSelectionChange={(keys) => {
        const chosen = options.find((option) => keys.has(option.id))
        if (chosen) onChange(chosen.id)
      }}
      className="inline-flex rounded-md border border-line-strong bg-n3 p-px"
    >
      {options.map((option) => (
        <ToggleButton
          key={option.id}
          id={option.id}
          {...(option.name && { 'aria-label': option.name })}
          className="inline-flex h-6 items-center gap-1.5 rounded-[5px] px-2 text-12 font-medium text-muted hover:text-ink data-[selected]:bg-surface data-[selected]:text-ink data-[selected]:shadow-[0_0_0_1px_var(--n6)]"
        >
          {option.label}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  )
}
