import { useState, type FormEvent } from 'react'
import { useCreateIntegration } from '@/api/queries/integrations'
import type { CreatedIntegration, ProviderInfo } from '@/api/types'
import { ProviderFields } from '@/provider/auth-fields'
import { defaultsOf, settingsOf } from '@/provider/manifest-form'
import { ProviderIcon } from '@/provider/provider-icon'
import { Button, LinkButton } from '@/ui/button'
import { TextField } from '@/ui/field'
import { Panel } from '@/ui/layout'
import { ExternalLink } from '@/ui/link'
import { Markdown } from '@/ui/markdown'
import { FormError } from '@/ui/states'

interface CreateFormProps {
  provider: ProviderInfo
  /** With the way of proving itself that was chosen, where the provider has any. */
  onCreated: (created: CreatedIntegration) => void
}

/** The form a manifest describes, and the provider's own help beside it. */
export function CreateForm({ provider, onCreated }: CreateFormProps) {
  const create = useCreateIntegration()
  const [name, setName] = useState(provider.name)
  const [settings, setSettings] = useState(() => defaultsOf(provider.fields))
  const [secret, setSecret] = useState('')
  const { webhook } = provider
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate(
      {
        provider: provider.key,
        name: name.trim(),
        settings: settingsOf(settings),
        ...(secret && { webhookSecret: secret }),
      },
      { onSuccess: onCreated },
    )
  }
  return (
    <Panel
      id="create"
      title={
        <span className="flex items-center gap-2">
          <ProviderIcon provider={provider.key} name={provider.name} /> {provider.name}
        </span>
      }
      aside={provider.docsUrl && <span className="text-12"><ExternalLink href={provider.docsUrl}>Documentation</ExternalLink></span>}
    >
      <form onSubmit={submit} className="flex flex-col gap-4 p-4">
        <p className="text-13 text-muted">{provider.summary}</p>
        <TextField label="Name" hint="As your team calls it; it can be changed later." value={name} onChange={setName} isRequired maxLength={120} autoFocus />
        <ProviderFields provider={provider} values={settings} onChange={setSettings} />
        {webhook && (
          <TextField
            label={webhook.secretLabel}
            hint={secretHint(webhook)}
            type="password"
            autoComplete="off"
            mono
            value={secret}
            onChange={setSecret}
          />
        )}
        {provider.help && (
          <details className="rounded-md border border-line px-3 py-2">
            <summary className="text-13 font-medium">How to set it up at {provider.name}</summary>
            <div className="pt-2">
              <Markdown text={provider.help} />
            </div>
          </details>
        )}
        <FormError error={create.error} />
        <div className="flex justify-end gap-2">
          <LinkButton to="/integrations/new" variant="ghost">
            Back
          </LinkButton>
          <Button type="submit" variant="primary" isDisabled={create.isPending}>
            {create.isPending ? 'Creating' : 'Create integration'}
          </Button>
        </div>
      </form>
    </Panel>
  )
}

function secretHint(webhook: NonNullable<ProviderInfo['webhook']>): string {
  if (webhook.handshake) return webhook.secretHint
  if (webhook.secretGenerated) return `${webhook.secretHint} Leave it empty to let Linekeeper make one for you to copy.`.trim()
  return `${webhook.secretHint} It can be added later, once the provider shows it.`.trim()
}
