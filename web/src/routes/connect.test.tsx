import { screen, waitFor, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import { NOW } from '@/test/factories'
import { aHealth, aRefusal, notChecked } from '@/test/factories-health'
import { renderApp } from '@/test/render'
import { contractor, type World } from '@/test/world'

const CREATE = '/integrations/new?provider=stripe'

async function choose(user: ReturnType<typeof renderApp>['user'], way: string) {
  await user.click(await screen.findByRole('button', { name: /How it connects/ }))
  await user.click(await screen.findByRole('option', { name: way }))
}
function created(world: World) {
  const integration = world.integrations.at(-1)
  if (!integration) throw new Error('nothing was created')
  return integration
}

test('each way of connecting asks for its own fields only', async () => {
  const { user } = renderApp(CREATE)
  expect(await screen.findByLabelText(/^Restricted key/)).toBeVisible()
  expect(screen.queryByLabelText(/Client secret/)).toBeNull()
  expect(screen.getByText(/You paste a key or token/)).toBeVisible()
  await choose(user, 'Connect with an account')
  expect(await screen.findByLabelText(/Client secret/)).toBeVisible()
  expect(screen.queryByLabelText(/^Restricted key/)).toBeNull()
  expect(screen.getByLabelText(/Account id/)).toBeVisible()
})

test('with a key, the first check shows whether it works', async () => {
  const { user, world } = renderApp(CREATE)
  await user.type(await screen.findByLabelText(/^Restricted key/), 'rk_test')
  await user.click(screen.getByRole('button', { name: 'Create integration' }))
  expect(await screen.findByText(/Waiting for the first check/)).toBeVisible()
  const integration = created(world)
  expect(integration.settings).toEqual({ api_key: 'rk_test' })
  world.health.set(integration.id, aHealth(integration))
  expect(await screen.findByText(/The first check took 169 ms, as acme-builders/)).toBeVisible()
  expect(screen.getByRole('list', { name: 'Rungs of the last check' })).toBeVisible()
})

test('a first check that fails says so and leads to what to do', async () => {
  const { user, world } = renderApp(CREATE)
  await user.click(await screen.findByRole('button', { name: 'Create integration' }))
  const integration = created(world)
  world.health.set(integration.id, aHealth(integration, NOW, aRefusal()))
  const panel = await screen.findByRole('region', { name: 'First check' })
  expect(await within(panel).findByText('It does not work yet.')).toBeVisible()
  expect(within(panel).getByRole('link', { name: 'What to do' })).toHaveAttribute('href', `/integrations/${integration.id}`)
})

test('how it is checked is a setting like any other', async () => {
  const { user, world } = renderApp('/integrations/integration-4?tab=settings')
  const group = await screen.findByRole('group', { name: 'Checks' })
  await user.click(within(group).getByRole('button', { name: /How often/ }))
  await user.click(await screen.findByRole('option', { name: 'Every minute' }))
  await user.type(within(group).getByLabelText(/Timeout/), '2500')
  await user.type(within(group).getByLabelText(/Slow from/), '800')
  await user.click(within(group).getByRole('checkbox', { name: 'Check it on a schedule' }))
  expect(within(group).getByLabelText(/Timeout/)).toBeDisabled()
  await user.click(screen.getByRole('button', { name: 'Save' }))
  await waitFor(() => expect(world.integrations[3]?.settings).toEqual({ interval_s: 60, timeout_ms: 2500, latency_limit_ms: 800, check: false }))
})

test('what cannot be checked has no settings for checks, and its page says that checks are off', async () => {
  const world = contractor(() => NOW)
  const [integration] = world.integrations
  if (integration) world.health.set(integration.id, notChecked(integration, NOW, { checked: false }))
  renderApp('/integrations/integration-1?tab=settings', world)
  expect(await screen.findByLabelText(/Company id/)).toBeVisible()
  expect(screen.queryByRole('group', { name: 'Checks' })).toBeNull()
  expect(screen.queryByRole('button', { name: 'Check now' })).toBeNull()
})
