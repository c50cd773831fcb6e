import { useId, type ReactNode } from 'react'
import { Checkbox as AriaCheckbox, Switch as AriaSwitch } from 'react-aria-components'
import { HINT } from './field'
import { CheckIcon } from './icons'

interface ChoiceProps {
  isSelected: boolean
  onChange: (selected: boolean) => void
  children: ReactNode
  /** One line: what it means, or why it cannot be changed. */
  hint?: ReactNode
  isDisabled?: boolean
}

/** Something that may be ticked. */
export function Checkbox({ children, hint, ...props }: ChoiceProps) {
  const hintId = useId()
  return (
    <div className="flex flex-col gap-0.5">
      <AriaCheckbox
        {...props}
        {...(hint && { 'aria-describedby': hintId })}
        className="group flex items-center gap-2 text-13 font-medium data-[disabled]:text-muted"
      >
        <span className="inline-flex size-4 shrink-0 items-center justify-center rounded-sm border border-line-strong bg-surface text-white group-data-[disabled]:bg-n3 group-data-[focus-visible]:outline-2 group-data-[focus-visible]:outline-accent group-data-[selected]:border-accent-solid group-data-[selected]:bg-accent-solid">
          {props.isSelected && <CheckIcon className="size-3" />}
        </span>
        {children}
      </AriaCheckbox>
      {hint && (
        <p id={hintId} className={`${HINT} pl-6`}>
          {hint}
        </p>
      )}
    </div>
  )
}

/** Something that is on or off at once, with the word for it beside the knob. */
export function Switch({ children, hint, ...props }: ChoiceProps & { children: string }) {
  const hintId = useId()
  return (
    <div className="flex items-start justify-between gap-x-6 gap-y-1 px-4 py-3">
      <div className="min-w-0 flex-1">
        <p className="text-13 font-medium">{children}</p>
        {hint && (
          <p id={hintId} className={HINT}>
            {hint}
          </p>
        )}
      </div>
      <AriaSwitch
        {...props}
        aria-label={children}
        {...(hint && { 'aria-describedby': hintId })}
        className="group flex shrink-0 items-center gap-2 text-12 text-muted"
      >
        <span aria-hidden="true" className="w-6 text-right">
          {props.isSelected ? 'On' : 'Off'}
        </span>
        <span className="inline-flex h-5 w-9 items-center rounded-full border border-n8 bg-n4 p-0.5 group-data-[disabled]:opacity-50 group-data-[focus-visible]:outline-2 group-data-[focus-visible]:outline-offset-2 group-data-[focus-visible]:outline-accent group-data-[selected]:border-accent-solid group-data-[selected]:bg-accent-solid">
          <span className="size-3.5 rounded-full bg-n8 group-data-[selected]:translate-x-4 group-data-[selected]:bg-white" />
        </span>
      </AriaSwitch>
    </div>
  )
}
