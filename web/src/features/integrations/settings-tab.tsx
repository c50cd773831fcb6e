import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { integrationQuery, providersQuery, useChangeIntegration, useDeleteIntegration } from '@/api/queries/integrations'
import { useRole } from '@/api/queries/session'
import type { IntegrationDetail } from '@/api/types'
import { useDraft } from '@/features/shared/draft'
import { SaveError } from '@/features/shared/save-error'
import { ProviderFields } from '@/provider/auth-fields'
import { settingsOf } from '@/provider/manifest-form'
import { Button } from '@/ui/button'
import { Confirm } from '@/ui/dialog'
import { TextField } from '@/ui/field'
import { plural } from '@/ui/format'
import { Panel } from '@/ui/layout'
import { FormError } from '@/ui/states'
import { toast } from '@/ui/toast'
import { CheckSettings } from './check-settings'

/** Rename, change what the manifest asks for and how it is checked, pause, delete. */
export function SettingsTab({ integration }: { integration: IntegrationDetail }) {
  const { canConfigure } = useRole()
  if (!canConfigure) {
    return (
      <Panel>
        <p className="p-4 text-13 text-muted">Only admins and the owner of this project change settings.</p>
      </Panel>
    )
  }
  return (
    <div className="grid max-w-3xl gap-4">
      <SettingsForm integration={integration} />
      <EnablePanel integration={integration} />
      <DeletePanel integration={integration} />
    </div>
  )
}

function SettingsForm({ integration }: { integration: IntegrationDetail }) {
  const { data: providers } = useQuery(providersQuery)
  const { refetch } = useQuery(integrationQuery(integration.id))
  const change = useChangeIntegration(integration.id)
  const draft = useDraft(integration, ({ name, settings }) => ({ name, settings }))
  const { name, settings } = draft.fields
  const provider = providers?.find((item) => item.key === integration.provider)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    // Untouched settings stay as they are: what the server does not show (secrets) would not come back from here.
    const touched = settings !== integration.settings
    change.mutate(
      { name: name.trim(), ...(touched && { settings: settingsOf(settings) }), version: draft.version },
      {
        onSuccess: () => {
          draft.reset()
          toast('Settings saved.')
        },
      },
    )
  }
  return (
    <Panel id="settings-form" title="Settings">
      <form onSubmit={submit} className="flex flex-col gap-4 p-4">
        <TextField label="Name" value={name} onChange={(name) => draft.set({ name })} isRequired maxLength={120} />
        {provider && <ProviderFields editing provider={provider} values={settings} onChange={(settings) => draft.set({ settings })} />}
        {provider?.capabilities.includes('check') && <CheckSettings values={settings} onChange={(settings) => draft.set({ settings })} />}
        <SaveError
          error={change.error}
          onNewest={async () => {
            await refetch()
            draft.reset()
            change.reset()
          }}
        />
        <Button type="submit" variant="primary" className="self-end" isDisabled={change.isPending}>
          Save
        </Button>
      </form>
    </Panel>
  )
}

function EnablePanel({ integration }: { integration: IntegrationDetail }) {
  const change = useChangeIntegration(integration.id)
  const { enabled, version } = integration
  return (
    <Panel id="enable" title={enabled ? 'Enabled' : 'Disabled'}>
      <div className="flex flex-wrap items-center gap-3 p-4 text-13">
        <p className="min-w-0 flex-1 basis-64 text-muted">
          {enabled
            ? 'A disabled integration is not judged: its health is unknown and it needs nobody. Its settings and history stay.'
            : 'It is not judged: its health is unknown and it needs nobody until it is enabled.'}
        </p>
        <Button isDisabled={change.isPending} onPress={() => change.mutate({ enabled: !enabled, version })}>
          {enabled ? 'Disable' : 'Enable'}
        </Button>
        <FormError error={change.error} />
      </div>
    </Panel>
  )
}

function DeletePanel({ integration }: { integration: IntegrationDetail }) {
  const remove = useDeleteIntegration(integration.id)
  const navigate = useNavigate()
  const [asking, setAsking] = useState(false)
  return (
    <Panel id="delete" title="Delete">
      <div className="flex flex-wrap items-center gap-3 p-4 text-13">
        <p className="min-w-0 flex-1 basis-64 text-muted">Its webhook address stops working, and its events and problems leave every page.</p>
        <Button variant="danger" onPress={() => setAsking(true)}>
          Delete {integration.name}
        </Button>
      </div>
      <Confirm
        title={`Delete ${integration.name}?`}
        action="Delete for good"
        isOpen={asking}
        isPending={remove.isPending}
        error={remove.error}
        onClose={() => setAsking(false)}
        onConfirm={() =>
          remove.mutate(undefined, {
            onSuccess: () => {
              toast(`${integration.name} is deleted.`)
              void navigate({ to: '/integrations' })
            },
          })
        }
      >
        <p>This cannot be undone. You lose:</p>
        <ul className="mt-1 list-disc pl-5">
          <li>its history of events and {plural(integration.openProblems, 'open problem')}</li>
          {integration.webhook && (
            <li>its webhook address and {plural(integration.webhook.secrets, 'secret')}: what the provider sends is refused from then on</li>
          )}
        </ul>
      </Confirm>
    </Panel>
  )
}
