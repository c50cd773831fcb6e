import { useParams } from '@tanstack/react-router'
import { IntegrationPage } from '@/features/integrations/detail'
import { IntegrationsPage } from '@/features/integrations/list'
import { IntegrationWizard } from '@/features/integrations/wizard'

export function IntegrationsRoute() {
  return <IntegrationsPage />
}

export function NewIntegrationRoute() {
  return <IntegrationWizard />
}

export function IntegrationRoute() {
  const { id } = useParams({ from: '/app/integrations/$id' })
  return <IntegrationPage key={id} id={id} />
}
