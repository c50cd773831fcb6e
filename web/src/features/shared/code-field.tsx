import { useState } from 'react'
import { Button } from '@/ui/button'
import { TextField } from '@/ui/field'

interface CodeFieldProps {
  value: string
  onChange: (code: string) => void
  autoFocus?: boolean
  /** Where a recovery code does too. */
  recovery?: boolean
}

/** The six digits of the authenticator app, or a recovery code for those without their phone. */
export function CodeField({ value, onChange, autoFocus, recovery }: CodeFieldProps) {
  const [byRecovery, setByRecovery] = useState(false)
  const swap = () => {
    setByRecovery(!byRecovery)
    onChange('')
  }
  return (
    <div className="flex flex-col gap-1">
      {byRecovery ? (
        <TextField key="recovery" label="Recovery code" name="recovery-code" autoComplete="off" mono hint="One of the codes you kept. Each works once." value={value} onChange={onChange} isRequired autoFocus />
      ) : (
        <TextField
          key="code"
          label="Authenticator code"
          name="code"
          autoComplete="one-time-code"
          inputMode="numeric"
          maxLength={7}
          mono
          hint="The 6 digits your authenticator app shows now."
          value={value}
          onChange={onChange}
          isRequired
          autoFocus={autoFocus ?? false}
        />
      )}
      {recovery && (
        <Button size="sm" variant="ghost" className="-ml-2 self-start" onPress={swap}>
          {byRecovery ? 'Use the authenticator app' : 'Use a recovery code instead'}
        </Button>
      )}
    </div>
  )
}
