import { Link, type LinkProps } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { Button as AriaButton, ToggleButton as AriaToggle, type ButtonProps as AriaButtonProps } from 'react-aria-components'
import { cx } from './cx'

type Variant = 'primary' | 'secondary' | 'quiet' | 'ghost' | 'danger'
type Size = 'sm' | 'md'

const VARIANT: Record<Variant, string> = {
  primary: 'bg-accent-solid text-white hover:bg-accent-hover border border-transparent',
  secondary: 'bg-surface text-ink border border-line-strong hover:bg-n3',
  quiet: 'bg-surface text-muted border border-line-strong hover:bg-n3 hover:text-ink',
  ghost: 'text-muted border border-transparent hover:bg-n3 hover:text-ink',
  danger: 'bg-surface text-bad border border-bad-line hover:bg-bad-wash',
}
const SIZE: Record<Size, string> = {
  sm: 'h-7 px-2 text-12 gap-1.5',
  md: 'h-8 px-3 text-13 gap-2',
}
const BASE =
  'inline-flex shrink-0 items-center justify-center rounded-md font-medium whitespace-nowrap select-none no-underline disabled:opacity-50 data-[disabled]:opacity-50 data-[disabled]:cursor-not-allowed'

export function buttonClass(variant: Variant = 'secondary', size: Size = 'md', className?: string): string {
  return cx(BASE, VARIANT[variant], SIZE[size], className)
}

interface ButtonProps extends Omit<AriaButtonProps, 'className' | 'children'> {
  variant?: Variant
  size?: Size
  className?: string
  children: ReactNode
}
export function Button({ variant, size, className, ...props }: ButtonProps) {
  return <AriaButton {...props} className={buttonClass(variant, size, className)} />
}

type LinkButtonProps = Pick<LinkProps, 'to' | 'params' | 'search'> & {
  variant?: Variant
  size?: Size
  className?: string
  children: ReactNode
}
export function LinkButton({ variant, size, className, ...props }: LinkButtonProps) {
  return <Link {...props} className={buttonClass(variant, size, className)} />
}

interface IconButtonProps extends Omit<ButtonProps, 'children'> {
  label: string
  children: ReactNode
}
/** A square button with an icon only; its label is its name and its title. */
export function IconButton({ label, variant = 'ghost', size = 'md', className, children, ...props }: IconButtonProps) {
  const square = size === 'sm' ? 'size-7' : 'size-8'
  return (
    <AriaButton {...props} aria-label={label} className={cx(BASE, VARIANT[variant], square, className)}>
      <span title={label} className="contents">
        {children}
      </span>
    </AriaButton>
  )
}

interface ToggleProps {
  isSelected: boolean
  onChange: (selected: boolean) => void
  children: ReactNode
  label?: string
  isDisabled?: boolean
}
/** A button that stays pressed. */
export function Toggle({ label, ...props }: ToggleProps) {
  return (
    <AriaToggle
      {...props}
      {...(label && { 'aria-label': label })}
      className={buttonClass(
        'secondary',
        'sm',
        'data-[selected]:border-accent data-[selected]:bg-accent-wash data-[selected]:text-accent',
      )}
    />
  )
}
