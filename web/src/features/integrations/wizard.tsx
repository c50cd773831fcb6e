import { useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { providersQuery } from '@/api/queries/integrations'
import type { CreatedIntegration } from '@/api/types'
import { LinkButton } from '@/ui/button'
import { cx } from '@/ui/cx'
import { Page, PageHead, Panel } from '@/ui/layout'
import { ErrorState, Loaded, SkeletonRows } from '@/ui/states'
import { ApiError } from '@/api/client'
import { Catalogue } from './catalogue'
import { CreateForm } from './create-form'
import { FirstDelivery } from './first-delivery'

const STEPS = ['Choose a provider', 'Name and settings', 'Connect']

/** Three steps from nothing to the first delivery; the chosen provider is in the address. */
export function IntegrationWizard() {
  const query = useQuery(providersQuery)
  const { provider: key }: { provider?: string } = useSearch({ strict: false })
  const [created, setCreated] = useState<CreatedIntegration | null>(null)
  const step = created ? 2 : key ? 1 : 0
  return (
    <Page narrow={step > 0}>
      <PageHead title="Add an integration">
        {!created && (
          <LinkButton to="/integrations" variant="ghost">
            Cancel
          </LinkButton>
        )}
      </PageHead>
      <Steps current={step} />
      <Loaded
        query={query}
        loading={
          <Panel>
            <SkeletonRows rows={8} label="Loading the catalogue" />
          </Panel>
        }
      >
        {(providers) => {
          if (!key) return <Catalogue providers={providers} />
          const provider = providers.find((item) => item.key === key)
          if (!provider) return <UnknownProvider name={key} />
          return created ? (
            <FirstDelivery created={created} provider={provider} />
          ) : (
            <CreateForm provider={provider} onCreated={setCreated} />
          )
        }}
      </Loaded>
    </Page>
  )
}

function UnknownProvider({ name }: { name: string }) {
  return (
    <Panel>
      <ErrorState error={new ApiError(`This installation knows no provider "${name}".`, 404, 'unknown_provider')} />
      <p className="pb-6 text-center">
        <LinkButton to="/integrations/new">Choose another</LinkButton>
      </p>
    </Panel>
  )
}

function Steps({ current }: { current: number }) {
  return (
    <ol aria-label="Steps" className="flex flex-wrap gap-x-6 gap-y-1 text-13">
      {STEPS.map((step, index) => (
        <li
          key={step}
          aria-current={index === current ? 'step' : undefined}
          className={cx('flex items-center gap-2', index === current ? 'font-medium' : 'text-muted')}
        >
          <span
            className={cx(
              'inline-flex size-5 items-center justify-center rounded-full text-12',
              index === current ? 'bg-accent-solid text-white' : 'bg-n4 text-muted',
            )}
          >
            {index + 1}
          </span>
          {step}
        </li>
      ))}
    </ol>
  )
}
