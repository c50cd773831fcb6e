import { TextField } from '@/ui/field'

const MIN_PASSWORD = 12

interface NewPasswordProps {
  value: string
  onChange: (password: string) => void
  label?: string
  autoFocus?: boolean
}

/** A password somebody makes up now. */
export function NewPassword({ value, onChange, label = 'Password', autoFocus = false }: NewPasswordProps) {
  return (
    <TextField
      label={label}
      type="password"
      name="new-password"
      autoComplete="new-password"
      hint={`At least ${MIN_PASSWORD} characters; a sentence is good.`}
      minLength={MIN_PASSWORD}
      value={value}
      onChange={onChange}
      isRequired
      autoFocus={autoFocus}
    />
  )
}
