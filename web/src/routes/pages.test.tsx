import { screen, waitFor, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import { NOW } from '@/test/factories'
import { renderApp } from '@/test/render'
import { contractor, World } from '@/test/world'

test('signing in goes on to where the person wanted to be', async () => {
  const world = new World(() => NOW)
  world.signedIn = false
  const { user, router } = renderApp('/settings?tab=members', world)
  await user.type(await screen.findByLabelText(/Email/), 'mara@example.com')
  await user.type(screen.getByLabelText(/Password/), 'wrong')
  await user.click(screen.getByRole('button', { name: 'Sign in' }))
  expect(await screen.findByRole('alert')).toHaveTextContent('The email or the password is not right.')
  await user.clear(screen.getByLabelText(/Password/))
  await user.type(screen.getByLabelText(/Password/), 'right enough')
  await user.click(screen.getByRole('button', { name: 'Sign in' }))
  expect(await screen.findByRole('region', { name: 'Members' })).toBeVisible()
  expect(router.state.location.href).toBe('/settings?tab=members')
})

test('the one-time link creates the first account', async () => {
  const world = new World(() => NOW)
  world.signedIn = false
  const { user } = renderApp('/setup?token=one-time', world)
  await user.type(await screen.findByLabelText(/Your name/), 'Mara')
  await user.type(screen.getByLabelText(/Email/), 'mara@example.com')
  await user.type(screen.getByLabelText(/Password/), 'a long sentence is good')
  await user.click(screen.getByRole('button', { name: 'Create account' }))
  expect(await screen.findByRole('heading', { name: 'No integrations yet' })).toBeVisible()
})

test('a problem is acknowledged, and that can be undone', async () => {
  const { world, user } = renderApp('/problems')
  const list = await screen.findByRole('list', { name: 'Open problems, worst first' })
  const worst = within(list).getAllByRole('link')[0]
  expect(worst).toHaveTextContent('Critical')
  if (worst) await user.click(worst)
  await user.click(await screen.findByRole('button', { name: 'Acknowledge' }))
  const acknowledged = () => world.problems.filter((problem) => problem.state === 'acknowledged').length
  await waitFor(() => expect(acknowledged()).toBe(2))
  await user.click(await screen.findByRole('button', { name: 'Undo' }))
  await waitFor(() => expect(acknowledged()).toBe(1))
})

test('a change to what somebody else has changed is refused with a reason', async () => {
  const { world, user } = renderApp('/problems/problem-2')
  const button = await screen.findByRole('button', { name: 'Resolve' })
  const problem = world.problems.find((item) => item.id === 'problem-2')
  if (problem) problem.version += 1
  await user.click(button)
  expect(await screen.findByText(/Somebody changed this problem meanwhile/)).toBeVisible()
})

test('the wizard ends by itself when the first delivery arrives', async () => {
  const { world, user } = renderApp('/integrations/new?provider=procore')
  await user.type(await screen.findByLabelText(/Company id/), '4208')
  await user.click(screen.getByRole('button', { name: 'Create integration' }))
  expect(await screen.findByText(/Waiting for the first delivery/)).toBeVisible()
  const created = world.integrations.at(-1)
  if (!created?.webhook) throw new Error('nothing was created')
  expect(screen.getByText(created.webhook.url)).toBeVisible()
  expect(screen.getByText('whsec_example_made_for_you')).toBeVisible()
  world.emit('event', world.addEvent(created, NOW, null))
  expect(await screen.findByText('It works.')).toBeVisible()
})

test('rejected deliveries are explained while waiting', async () => {
  const { world, user } = renderApp('/integrations/new?provider=standard_webhooks')
  const explanation = 'The signature does not fit the active secret.'
  const at = new Date(NOW).toISOString()
  world.rejections.set('integration-6', [
    { reason: 'signature_mismatch', count: 1, firstAt: at, lastAt: at, explanation, hint: 'Compare the secrets.', detail: {} },
  ])
  await user.click(await screen.findByRole('button', { name: 'Create integration' }))
  expect(await screen.findByText(explanation)).toBeVisible()
})

test('deleting names what is lost', async () => {
  const { world, user } = renderApp('/integrations/integration-3?tab=settings')
  await user.click(await screen.findByRole('button', { name: 'Delete QuickBooks' }))
  const dialog = await screen.findByRole('alertdialog')
  expect(dialog).toHaveTextContent('2 open problems')
  await user.click(within(dialog).getByRole('button', { name: 'Delete for good' }))
  await waitFor(() => expect(world.integrations).toHaveLength(4))
})

test('an event opens from its address, whole', async () => {
  const world = contractor(() => NOW)
  const failure = world.events.find((event) => event.code === '6210')
  const { router } = renderApp(`/events?event=${failure?.id}`, world)
  const dialog = await screen.findByRole('dialog', { name: 'Event' })
  expect(await within(dialog).findByText('Invoices fall into a closed accounting period')).toBeVisible()
  expect(within(dialog).getByText('Headers kept')).toBeVisible()
  expect(router.state.location.search).toMatchObject({ event: failure?.id })
})

test('the palette goes to an integration by its name', async () => {
  const { user, router } = renderApp('/settings')
  await screen.findByRole('heading', { name: 'Settings' })
  await user.keyboard('{Control>}k{/Control}')
  await user.type(await screen.findByRole('searchbox', { name: 'Go to' }), 'field')
  await user.keyboard('{Enter}')
  await waitFor(() => expect(router.state.location.pathname).toBe('/integrations/integration-4'))
})

test('an unknown address says so', async () => {
  renderApp('/nowhere')
  expect(await screen.findByText('There is no such page')).toBeVisible()
})
