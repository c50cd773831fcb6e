import { useQuery } from '@tanstack/react-query'
import { integrationQuery, rejectionsQuery } from '@/api/queries/integrations'
import type { CreatedIntegration, IntegrationDetail, ProviderInfo } from '@/api/types'
import { withEvent } from '@/features/shared/url-state'
import { LinkButton } from '@/ui/button'
import { CopyBox } from '@/ui/copy'
import { CheckIcon } from '@/ui/icons'
import { Panel } from '@/ui/layout'
import { TextLink } from '@/ui/link'
import { Markdown } from '@/ui/markdown'
import { Ago } from '@/ui/time'
import { FirstCheck } from './first-check'
import { RejectionList } from './rejections'

/** Rejected deliveries are no events, so the stream does not carry them; this is how often we ask. */
const ASK_MS = 3000

interface FirstDeliveryProps {
  created: CreatedIntegration
  provider: ProviderInfo
}

/** What is left to do at the provider, the result of the first check, the address and secret to copy, and a wait that ends by itself when the first delivery arrives. */
export function FirstDelivery({ created, provider }: FirstDeliveryProps) {
  const { integration, webhookUrl, webhookSecret } = created
  const { data: current } = useQuery(integrationQuery(integration.id))
  const arrived = current?.lastEvents[0]
  // Whoever connects a provider for its webhooks alone gives no credential; then nothing is checked.
  const checks = (current ?? integration).checked
  return (
    <>
      {checks && <FirstCheck integration={integration} />}
      <Panel id="connect" title={`${integration.name} is created`}>
        <div className="flex flex-col gap-4 p-4 text-13">
          {webhookUrl ? (
            <>
              <Labelled text="Webhook address" hint={`Paste it at ${provider.name} as the endpoint for webhooks.`}>
                <CopyBox value={webhookUrl} label="webhook address" strong />
              </Labelled>
              {webhookSecret && (
                <Labelled text={provider.webhook?.secretLabel ?? 'Webhook secret'} hint="Shown this once. It is stored sealed; you can always make another.">
                  <CopyBox value={webhookSecret} label="secret" strong />
                </Labelled>
              )}
              {provider.help && (
                <details className="rounded-md border border-line px-3 py-2">
                  <summary className="font-medium">How to set it up at {provider.name}</summary>
                  <div className="pt-2">
                    <Markdown text={provider.help} />
                  </div>
                </details>
              )}
            </>
          ) : (
            <p>{checks ? 'This provider sends no webhooks; what Linekeeper knows of it, it asks for.' : 'This provider sends no webhooks; there is nothing to paste.'}</p>
          )}
        </div>
      </Panel>
      {webhookUrl && <Waiting id={integration.id} arrived={arrived} />}
      <div className="flex flex-wrap justify-end gap-2">
        <LinkButton to="/integrations/new">Add another</LinkButton>
        <LinkButton to="/integrations/$id" params={{ id: integration.id }} variant="primary">
          Open {integration.name}
        </LinkButton>
      </div>
    </>
  )
}

function Labelled({ text, hint, children }: { text: string; hint: string; children: React.ReactNode }) {
  return (
    <div className="flex flex-col gap-1">
      <h3 className="font-medium">{text}</h3>
      {children}
      <p className="text-12 text-muted">{hint}</p>
    </div>
  )
}

function Waiting({ id, arrived }: { id: string; arrived: IntegrationDetail['lastEvents'][number] | undefined }) {
  const { data: rejections } = useQuery({ ...rejectionsQuery(id), refetchInterval: arrived ? false : ASK_MS })
  return (
    <Panel id="waiting" title="First delivery">
      <div role="status" className="flex items-center gap-3 px-4 py-4 text-13">
        {arrived ? (
          <>
            <span className="inline-flex size-6 items-center justify-center rounded-full bg-ok-wash text-ok">
              <CheckIcon />
            </span>
            <p>
              <strong className="font-semibold">It works.</strong> The first delivery, <code className="font-mono text-12">{arrived.eventType}</code>, arrived <Ago at={arrived.receivedAt} />.{' '}
              <TextLink {...withEvent(arrived.id)}>Look at it</TextLink>
            </p>
          </>
        ) : (
          <>
            <span aria-hidden="true" className="size-2.5 rounded-full bg-accent-solid breathe" />
            <p>
              Waiting for the first delivery. Send a test from the provider; this page notices by itself.
            </p>
          </>
        )}
      </div>
      {!arrived && rejections && rejections.length > 0 && (
        <div className="border-t border-line">
          <p className="px-4 pt-3 text-13 font-medium">Something arrived, but could not be verified:</p>
          <RejectionList rejections={rejections} />
        </div>
      )}
    </Panel>
  )
}
