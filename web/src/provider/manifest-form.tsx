import type { Json, ManifestField } from '@/api/types'
import { Checkbox } from '@/ui/checkbox'
import { Select } from '@/ui/select'
import { TextField } from '@/ui/field'

export type Values = Record<string, Json>

interface ManifestFieldsProps {
  fields: ManifestField[]
  values: Values
  onChange: (values: Values) => void
  /** An existing integration: its secrets are stored and sealed, so an empty secret keeps what is there. */
  editing?: boolean
}

/** What a form starts with: the manifest's defaults. */
export function defaultsOf(fields: ManifestField[]): Values {
  return Object.fromEntries(
    fields.flatMap((field) => (field.default === null ? [] : [[field.key, typed(field, field.default)]])),
  )
}

/** A manifest writes defaults as text. */
function typed(field: ManifestField, text: string): Json {
  if (field.kind === 'boolean') return text === 'true'
  return field.kind === 'number' ? Number(text) : text
}

/** What the server gets: nothing that is empty, so that it applies its own defaults and keeps secrets. */
export function settingsOf(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== '' && value !== null))
}

/** The inputs any manifest asks for. Nothing here knows a provider. */
export function ManifestFields({ fields, values, onChange, editing = false }: ManifestFieldsProps) {
  return fields.map((field) => (
    <FieldInput
      key={field.key}
      field={field}
      value={values[field.key] ?? null}
      editing={editing}
      onChange={(value) => onChange({ ...values, [field.key]: value })}
    />
  ))
}

interface FieldInputProps {
  field: ManifestField
  value: Json
  editing: boolean
  onChange: (value: Json) => void
}

function FieldInput({ field, value, editing, onChange }: FieldInputProps) {
  if (field.kind === 'boolean') return <BooleanInput field={field} value={value === true} onChange={onChange} />
  const required = field.required && !(editing && field.kind === 'secret')
  if (field.kind === 'select') {
    return (
      <Select
        label={field.label}
        hint={field.hint}
        isRequired={required}
        options={field.options.map((option) => ({ id: option, label: option }))}
        value={typeof value === 'string' ? value : null}
        onChange={onChange}
      />
    )
  }
  return (
    <TextField
      label={field.label}
      hint={field.hint}
      name={field.key}
      type={field.kind === 'secret' ? 'password' : field.kind === 'url' ? 'url' : 'text'}
      inputMode={field.kind === 'number' ? 'decimal' : field.kind === 'url' ? 'url' : 'text'}
      autoComplete="off"
      mono={field.kind === 'secret' || field.kind === 'url'}
      isRequired={required}
      {...(field.pattern && { pattern: field.pattern })}
      placeholder={editing && field.kind === 'secret' ? 'Stored; type to replace it' : (field.placeholder ?? '')}
      value={value === null ? '' : String(value)}
      onChange={(text) => onChange(field.kind === 'number' && text !== '' && !Number.isNaN(Number(text)) ? Number(text) : text)}
    />
  )
}

function BooleanInput({ field, value, onChange }: { field: ManifestField; value: boolean; onChange: (value: boolean) => void }) {
  return (
    <Checkbox isSelected={value} onChange={onChange} hint={field.hint}>
      {field.label}
    </Checkbox>
  )
}
