import { screen, waitFor, within } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { expect, test } from 'vitest'
import { failed } from '@/test/answers'
import { NOW } from '@/test/factories'
import { CODE, WRONG_PASSWORD } from '@/test/handlers-session'
import { renderApp } from '@/test/render'
import { server } from '@/test/server'
import { contractor, World } from '@/test/world'

const unproven = () => {
  const world = contractor(() => NOW)
  world.people.proven = false
  return world
}
const proof = () => screen.findByRole('dialog', { name: 'Confirm it is you' })

test('who has an authenticator enters its code in a second step', async () => {
  const world = new World(() => NOW)
  world.signedIn = false
  world.people.wantsCode = true
  const { user } = renderApp('/sign-in', world)
  await user.type(await screen.findByLabelText(/Email/), 'mara@example.com')
  await user.type(screen.getByLabelText(/Password/), 'right enough')
  await user.click(screen.getByRole('button', { name: 'Sign in' }))
  const code = await screen.findByLabelText(/Authenticator code/)
  expect(code).toHaveAttribute('autocomplete', 'one-time-code')
  expect(code).toHaveAttribute('inputmode', 'numeric')
  expect(screen.queryByRole('alert')).toBeNull()
  await user.type(code, '000000')
  await user.click(screen.getByRole('button', { name: 'Sign in' }))
  expect(await screen.findByRole('alert')).toHaveTextContent('That code is wrong')
  await user.click(screen.getByRole('button', { name: 'Use a recovery code instead' }))
  await user.type(screen.getByLabelText(/Recovery code/), CODE)
  await user.click(screen.getByRole('button', { name: 'Sign in' }))
  expect(await screen.findByRole('heading', { name: 'No integrations yet' })).toBeVisible()
})

test('the identity provider is offered, and its failure is a sentence', async () => {
  const world = new World(() => NOW)
  world.signedIn = false
  world.people.identityProvider = 'Acme ID'
  renderApp('/sign-in?next=%2Fproblems&failed=oidc_unknown_person', world)
  const link = await screen.findByRole('link', { name: 'Sign in with Acme ID' })
  expect(link).toHaveAttribute('href', '/api/oidc/start?purpose=sign_in&next=%2Fproblems')
  const alert = screen.getByRole('alert')
  expect(alert).toHaveTextContent('No account here belongs to that sign-in.')
  expect(alert).toHaveTextContent('link the account in your profile; else ask an admin for an invitation.')
})

test('what needs a proof asks for it and goes on by itself', async () => {
  const { user } = renderApp('/settings?tab=keys', unproven())
  const dialog = await proof()
  await user.type(within(dialog).getByLabelText(/Password/), WRONG_PASSWORD)
  await user.click(within(dialog).getByRole('button', { name: 'Confirm' }))
  expect(await within(dialog).findByRole('alert')).toHaveTextContent('That is not your password.')
  await user.clear(within(dialog).getByLabelText(/Password/))
  await user.type(within(dialog).getByLabelText(/Password/), 'right enough')
  await user.click(within(dialog).getByRole('button', { name: 'Confirm' }))
  expect(await screen.findByText('Nightly export')).toBeVisible()
  expect(screen.queryByRole('dialog')).toBeNull()
})

test('who declines is not asked again until they want to be', async () => {
  const { user, client } = renderApp('/settings?tab=keys', unproven())
  await user.click(within(await proof()).getByRole('button', { name: 'Cancel' }))
  const again = await screen.findByRole('button', { name: 'Confirm it is you' })
  expect(screen.queryByRole('dialog')).toBeNull()
  await client.refetchQueries({ queryKey: ['session'] })
  globalThis.dispatchEvent(new Event('focus'))
  expect(screen.queryByRole('dialog')).toBeNull()
  await user.click(again)
  const dialog = await proof()
  await user.type(within(dialog).getByLabelText(/Password/), 'right enough')
  await user.click(within(dialog).getByRole('button', { name: 'Confirm' }))
  expect(await screen.findByText('Nightly export')).toBeVisible()
})

test('a deed that is declined says that nothing was done', async () => {
  const { user, world } = renderApp('/profile?tab=security', unproven())
  await user.click(await screen.findByRole('button', { name: 'Set up' }))
  await user.click(within(await proof()).getByRole('button', { name: 'Cancel' }))
  expect(await screen.findByRole('alert')).toHaveTextContent('Nothing was done: first confirm that it is you.')
  expect(world.people.totp.enabled).toBe(false)
})

test('requests that wait together ask once', async () => {
  const world = unproven()
  const { people } = world
  const { user } = renderApp('/settings?tab=members', world)
  const whenProven = (items: object[]) =>
    people.proven ? HttpResponse.json({ items }) : failed(403, 'sudo_required', 'Confirm that it is you.', people.methods())
  server.use(
    http.get('*/api/members', () => whenProven(people.members)),
    http.get('*/api/invitations', () => whenProven(people.invitations)),
  )
  const dialog = await proof()
  expect(screen.getAllByRole('dialog')).toHaveLength(1)
  await user.type(within(dialog).getByLabelText(/Password/), 'right enough')
  await user.click(within(dialog).getByRole('button', { name: 'Confirm' }))
  expect(await screen.findByText('Theo Lindqvist')).toBeVisible()
  expect(await screen.findByText('site-office@example.com')).toBeVisible()
  expect(people.asked).toBe(1)
})

test('the authenticator is set up, confirmed and its recovery codes shown once', async () => {
  const { user, world } = renderApp('/profile?tab=security')
  await user.click(await screen.findByRole('button', { name: 'Set up' }))
  const setup = await screen.findByRole('dialog', { name: 'Set up the authenticator' })
  expect(within(setup).getByRole('img', { name: /QR code/ })).toHaveAttribute('src', expect.stringMatching(/^data:image\/svg\+xml/))
  expect(within(setup).getByText('EXAMPLEEXAMPLE23')).toBeVisible()
  await user.type(within(setup).getByLabelText(/Authenticator code/), '000000')
  await user.click(within(setup).getByRole('button', { name: 'Switch on' }))
  expect(await within(setup).findByRole('alert')).toHaveTextContent('That code is wrong')
  await user.clear(within(setup).getByLabelText(/Authenticator code/))
  await user.type(within(setup).getByLabelText(/Authenticator code/), CODE)
  await user.click(within(setup).getByRole('button', { name: 'Switch on' }))
  const codes = await screen.findByRole('dialog', { name: 'Keep your recovery codes' })
  expect(within(codes).getAllByRole('listitem')).toHaveLength(10)
  expect(within(codes).getByRole('link', { name: 'Download' })).toHaveAttribute('download', 'linekeeper-recovery-codes.txt')
  await user.click(within(codes).getByRole('button', { name: 'I have kept them' }))
  expect(await screen.findByText(/10 recovery codes left/)).toBeVisible()
  expect(screen.queryByText(/0000-example/)).toBeNull()
  expect(world.people.totp.enabled).toBe(true)
})

test('sessions are ended one by one and all others at once', async () => {
  const { user, world } = renderApp('/profile?tab=sessions')
  const panel = await screen.findByRole('region', { name: 'Sessions' })
  expect(await within(panel).findByText('This session')).toBeVisible()
  await user.click(within(panel).getByRole('button', { name: 'End the session Safari on iOS' }))
  await waitFor(() => expect(world.people.sessions).toHaveLength(2))
  await user.click(within(panel).getByRole('button', { name: 'Sign out everywhere else' }))
  const dialog = await screen.findByRole('alertdialog')
  expect(dialog).toHaveTextContent('1 other session ends at once.')
  await user.click(within(dialog).getByRole('button', { name: 'Sign out' }))
  await waitFor(() => expect(world.people.sessions.map((session) => session.id)).toEqual(['session-1']))
  expect(screen.queryByRole('button', { name: 'Sign out everywhere else' })).toBeNull()
})

test('a name that somebody else has changed meanwhile is not overwritten', async () => {
  const { user, world } = renderApp('/profile')
  const name = await screen.findByLabelText('Name')
  await user.type(name, ' B.')
  const me = world.people.users[0]
  if (me) me.name = 'Mara Novak-Reyes'
  world.people.profileVersion += 1
  await user.click(screen.getByRole('button', { name: 'Save' }))
  expect(await screen.findByRole('alert')).toHaveTextContent('Theo Lindqvist changed this profile')
  expect(name).toHaveValue('Mara Novak B.')
  await user.click(screen.getByRole('button', { name: 'Load the newest' }))
  await waitFor(() => expect(screen.getByLabelText('Name')).toHaveValue('Mara Novak-Reyes'))
  expect(screen.queryByRole('alert')).toBeNull()
})
