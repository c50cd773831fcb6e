import type { ReactNode } from 'react'
import { Button, FieldError, ListBox, ListBoxItem, Popover, Select as AriaSelect, SelectValue, Text } from 'react-aria-components'
import { cx } from './cx'
import { FieldLabel, HINT } from './field'
import { CheckIcon, DownIcon } from './icons'

export interface Option {
  id: string
  label: string
  icon?: ReactNode
}

const ITEM =
  'flex cursor-default items-center gap-2 rounded-sm px-2 py-1.5 text-13 outline-none data-[focused]:bg-n3 data-[selected]:font-medium'
export const POPOVER = 'min-w-(--trigger-width) rounded-md bg-surface p-1 shadow-float max-h-80 overflow-y-auto scroll-thin'

interface SelectProps {
  label: string
  options: Option[]
  value: string | null
  onChange: (value: string) => void
  hint?: ReactNode
  isRequired?: boolean
  /** `filter`: small, with the label as its name only, for bars above a list. */
  look?: 'field' | 'filter'
  isDisabled?: boolean
  /** What stands there until something is chosen. */
  placeholder?: string
}

/** One of a few options. */
export function Select({ label, options, value, onChange, hint, isRequired, look = 'field', isDisabled, placeholder = 'Choose' }: SelectProps) {
  const filter = look === 'filter'
  return (
    <AriaSelect
      {...(filter && { 'aria-label': label })}
      selectedKey={value}
      placeholder={placeholder}
      onSelectionChange={(key) => onChange(String(key))}
      isRequired={isRequired ?? false}
      isDisabled={isDisabled ?? false}
      className={filter ? 'min-w-0' : 'flex min-w-0 flex-col gap-1'}
    >
      {!filter && <FieldLabel required={isRequired}>{label}</FieldLabel>}
      <Button
        className={cx(
          'inline-flex min-w-0 items-center justify-between gap-1.5 rounded-md border border-line-strong bg-surface hover:bg-n3 data-[disabled]:opacity-50',
          filter ? 'h-7 max-w-48 px-2 text-12 font-medium' : 'h-9 w-full px-2.5 text-14',
        )}
      >
        <SelectValue className="truncate [&_[data-check]]:hidden" />
        <DownIcon className="size-3 text-muted" />
      </Button>
      {hint && (
        <Text slot="description" className={HINT}>
          {hint}
        </Text>
      )}
      <FieldError className="text-12 text-bad" />
      <Popover className={POPOVER} offset={4}>
        <ListBox items={options} className="outline-none">
          {(option) => (
            <ListBoxItem id={option.id} textValue={option.label} className={ITEM}>
              {option.icon}
              <span className="min-w-0 flex-1 truncate">{option.label}</span>
              {option.id === value && (
                <span data-check>
                  <CheckIcon className="size-3.5 text-accent" />
                </span>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaSelect>
  )
}
