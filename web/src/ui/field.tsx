import type { ReactNode } from 'react'
import {
  FieldError,
  Input,
  Label,
  SearchField as AriaSearchField,
  Text,
  TextField as AriaTextField,
  Button as AriaButton,
  type TextFieldProps as AriaTextFieldProps,
} from 'react-aria-components'
import { cx } from './cx'
import { CloseIcon, SearchIcon } from './icons'

export const LABEL = 'text-13 font-medium'
export const HINT = 'text-12 text-muted'
export const CONTROL =
  'h-9 w-full min-w-0 rounded-md border border-line-strong bg-surface px-2.5 text-14 text-ink placeholder:text-faint data-[hovered]:border-n7 data-[invalid]:border-bad disabled:opacity-60'

interface TextFieldProps extends Omit<AriaTextFieldProps, 'className' | 'children'> {
  label: string
  hint?: ReactNode
  placeholder?: string
  mono?: boolean
}
export function TextField({ label, hint, placeholder, mono, ...props }: TextFieldProps) {
  return (
    <AriaTextField {...props} className="flex min-w-0 flex-col gap-1">
      <FieldLabel required={props.isRequired}>{label}</FieldLabel>
      <Input {...(placeholder && { placeholder })} className={cx(CONTROL, mono && 'font-mono text-13')} />
      {hint && (
        <Text slot="description" className={HINT}>
          {hint}
        </Text>
      )}
      <FieldError className="text-12 text-bad" />
    </AriaTextField>
  )
}

export function FieldLabel({ children, required }: { children: ReactNode; required?: boolean | undefined }) {
  return (
    <Label className={LABEL}>
      {children}
      {!required && <span className="ml-1.5 text-12 font-normal text-muted">optional</span>}
    </Label>
  )
}

interface SearchFieldProps {
  label: string
  value: string
  onChange: (value: string) => void
  placeholder?: string
  className?: string
  id?: string
  autoFocus?: boolean
}
/** A search box; `/` on the page focuses the one with the id `search`. */
export function SearchField({ label, placeholder, className, id, ...props }: SearchFieldProps) {
  return (
    <AriaSearchField {...props} {...(id && { id })} aria-label={label} className={cx('group relative min-w-0', className)}>
      <SearchIcon className="pointer-events-none absolute top-1/2 left-2 size-3.5 -translate-y-1/2 text-muted" />
      <Input
        {...(placeholder && { placeholder })}
        className="h-7 w-full rounded-md border border-line-strong bg-surface pr-7 pl-7 text-12 placeholder:text-muted data-[hovered]:border-n7 [&::-webkit-search-cancel-button]:hidden"
      />
      <AriaButton
        aria-label="Clear search"
        className="absolute top-1/2 right-1 inline-flex size-5 -translate-y-1/2 items-center justify-center rounded-sm text-muted group-data-[empty]:hidden hover:text-ink"
      >
        <CloseIcon className="size-3" />
      </AriaButton>
    </AriaSearchField>
  )
}

interface DayFieldProps {
  label: string
  /** As in `2026-11-21`; empty for none. */
  value: string
  onChange: (value: string) => void
}
/** A day, small, for bars above a list. */
export function DayField({ label, value, onChange }: DayFieldProps) {
  return (
    <AriaTextField type="date" value={value} onChange={onChange} className="flex items-center gap-1.5">
      <Label className="text-12 text-muted">{label}</Label>
      <Input className="h-7 w-30 rounded-md border border-line-strong bg-surface px-1.5 text-12 data-[hovered]:border-n7" />
    </AriaTextField>
  )
}
