import type { AuthChoice, ManifestField, ProviderInfo } from '@/api/types'
import { Select } from '@/ui/select'
import { ManifestFields, type Values } from './manifest-form'

/** The setting that says which way of proving itself an integration uses. */
const AUTH = 'auth'

/** What each way asks of the person. */
const MEANS: Record<string, string> = {
  api_key: 'You paste a key or token. It is stored sealed and works until it is revoked there.',
  basic: 'You give a name and a password. They are stored sealed.',
  oauth2: 'You agree at the provider once, after the integration is created. Tokens are then renewed without you.',
  client_credentials: 'You give a client id and secret. Tokens are fetched and renewed with them.',
  service_account: 'You paste the key of a service account. Tokens are signed with it.',
  app_installation: 'You give the app and its installation. Tokens are signed with the key of the app.',
  none: 'It answers without a credential.',
}

/** The way that is chosen: by the setting, else the one whose fields are filled, else the first. */
export function chosenAuth({ auth }: Pick<ProviderInfo, 'auth'>, values: Values): AuthChoice | undefined {
  const filled = (choice: AuthChoice) => choice.fields.length > 0 && choice.fields.every((key) => values[key] !== undefined && values[key] !== null && values[key] !== '')
  return auth?.find((choice) => choice.kind === values[AUTH]) ?? auth?.find(filled) ?? auth?.[0]
}

/** The form without what only the ways not chosen ask for. */
function fieldsOf(provider: Pick<ProviderInfo, 'auth' | 'fields'>, chosen: AuthChoice | undefined): ManifestField[] {
  const foreign = new Set(provider.auth?.flatMap((choice) => choice.fields))
  return provider.fields.filter((field) => !foreign.has(field.key) || chosen?.fields.includes(field.key))
}

interface ProviderFieldsProps {
  provider: Pick<ProviderInfo, 'auth' | 'fields'>
  values: Values
  onChange: (values: Values) => void
  editing?: boolean
}

/** The form of a manifest: how it proves itself where there is a choice, then what that way asks for. */
export function ProviderFields({ provider, values, onChange, editing }: ProviderFieldsProps) {
  const chosen = chosenAuth(provider, values)
  const choices = provider.auth ?? []
  return (
    <>
      {choices.length > 1 && (
        <Select
          label="How it connects"
          isRequired
          options={choices.map((choice) => ({ id: choice.kind, label: choice.label }))}
          value={chosen?.kind ?? null}
          onChange={(kind) => onChange({ ...values, [AUTH]: kind })}
          hint={chosen && MEANS[chosen.kind]}
        />
      )}
      {choices.length === 1 && chosen && MEANS[chosen.kind] && <p className="text-12 text-muted">{MEANS[chosen.kind]}</p>}
      <ManifestFields fields={fieldsOf(provider, chosen)} values={values} onChange={onChange} {...(editing && { editing })} />
    </>
  )
}
