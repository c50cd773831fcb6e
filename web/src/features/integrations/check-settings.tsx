import type { Json } from '@/api/types'
import type { Values } from '@/provider/manifest-form'
import { Checkbox } from '@/ui/checkbox'
import { TextField } from '@/ui/field'
import { Select } from '@/ui/select'

const DEFAULT_S = 300
const INTERVALS: [seconds: number, label: string][] = [
  [10, '10 seconds'],
  [30, '30 seconds'],
  [60, 'minute'],
  [DEFAULT_S, '5 minutes'],
  [900, '15 minutes'],
  [1800, '30 minutes'],
  [3600, 'hour'],
  [21_600, '6 hours'],
  [86_400, '24 hours'],
]

interface CheckSettingsProps {
  values: Values
  onChange: (values: Values) => void
}

/** What every provider that can be checked has beside its own form. */
export function CheckSettings({ values, onChange }: CheckSettingsProps) {
  const on = values['check'] !== false && values['check'] !== 'false'
  const set = (key: string) => (value: Json) => onChange({ ...values, [key]: value })
  const seconds = Number(values['interval_s'] ?? DEFAULT_S)
  const known = INTERVALS.some(([each]) => each === seconds)
  const options = [...INTERVALS, ...(known ? [] : [[seconds, `${seconds} seconds`] as const])].map(([each, label]) => ({ id: String(each), label: `Every ${label}` }))
  return (
    <fieldset className="flex flex-col gap-4 border-t border-line pt-4">
      <legend className="float-left mb-3 w-full text-13 font-semibold">Checks</legend>
      <Checkbox isSelected={on} onChange={set('check')} hint="When off, its health comes from its events alone.">
        Check it on a schedule
      </Checkbox>
      <Select label="How often" isRequired options={options} value={String(seconds)} onChange={(id) => set('interval_s')(Number(id))} isDisabled={!on} hint="After a failure it is looked at again sooner." />
      <Amount
        label="Timeout"
        hint="Milliseconds for the whole check, from the name to the last probe; 5000 unless set."
        value={values['timeout_ms']}
        placeholder="5000"
        disabled={!on}
        onChange={set('timeout_ms')}
      />
      <Amount
        label="Slow from"
        hint="Milliseconds. A check that takes longer counts as degraded; without a limit, none does."
        value={values['latency_limit_ms']}
        placeholder="no limit"
        disabled={!on}
        onChange={set('latency_limit_ms')}
      />
      <TextField
        label="Address"
        type="url"
        inputMode="url"
        mono
        autoComplete="off"
        placeholder="https://"
        hint="Where it is reached, when that is not the provider’s usual address. The credential goes to this host only."
        value={String(values['base_url'] ?? '')}
        onChange={set('base_url')}
      />
    </fieldset>
  )
}

interface AmountProps {
  label: string
  hint: string
  value: Json | undefined
  placeholder: string
  disabled: boolean
  onChange: (value: Json) => void
}

function Amount({ label, hint, value, placeholder, disabled, onChange }: AmountProps) {
  return (
    <TextField
      label={label}
      hint={hint}
      inputMode="numeric"
      pattern="[0-9]+"
      autoComplete="off"
      placeholder={placeholder}
      isDisabled={disabled}
      value={String(value ?? '')}
      onChange={(text) => onChange(/^\d+$/.test(text) ? Number(text) : text)}
    />
  )
}
