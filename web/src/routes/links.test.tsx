import { screen, waitFor } from '@testing-library/react'
import { expect, test } from 'vitest'
import { NOW } from '@/test/factories'
import { GOOD_LINK } from '@/test/handlers-session'
import { renderApp } from '@/test/render'
import { contractor, World } from '@/test/world'

const stranger = () => {
  const world = new World(() => NOW)
  world.signedIn = false
  return world
}

test('an invitation says what it offers, and a new person joins with it', async () => {
  const { user, router, world } = renderApp(`/invitation?token=${GOOD_LINK}`, stranger())
  expect(await screen.findByRole('heading', { name: 'Join West Coast' })).toBeVisible()
  expect(screen.getByText(/Theo Lindqvist invites you as/)).toHaveTextContent('Editor, who reads everything, triages problems')
  await waitFor(() => expect(router.state.location.href).toBe('/invitation'))
  expect(screen.getByLabelText(/Email/)).toHaveValue('noor@example.com')
  await user.type(screen.getByLabelText(/Your name/), 'Noor')
  await user.type(screen.getByLabelText(/Password/), 'a long sentence is good')
  await user.click(screen.getByRole('button', { name: 'Create account and join' }))
  expect(await screen.findByRole('heading', { name: 'No integrations yet' })).toBeVisible()
  expect(world.people.users.at(-1)?.name).toBe('Noor')
  expect(sessionStorage.getItem('lk.link.invitation')).toBeNull()
})

test('who has an account signs in on the way and comes back to the invitation', async () => {
  const { user } = renderApp(`/invitation?token=${GOOD_LINK}`, stranger())
  await user.type(await screen.findByLabelText(/Your name/), 'Theo')
  await user.clear(screen.getByLabelText(/Email/))
  await user.type(screen.getByLabelText(/Email/), 'theo@example.com')
  await user.type(screen.getByLabelText(/Password/), 'a long sentence is good')
  await user.click(screen.getByRole('button', { name: 'Create account and join' }))
  expect(await screen.findByRole('alert')).toHaveTextContent('sign in, then open the link again')
  await user.click(screen.getByRole('link', { name: 'I have an account: sign in' }))
  await user.type(await screen.findByLabelText(/Email/), 'mara@example.com')
  await user.type(screen.getByLabelText(/Password/), 'right enough')
  await user.click(screen.getByRole('button', { name: 'Sign in' }))
  await user.click(await screen.findByRole('button', { name: 'Join as Mara Novak' }))
  expect(await screen.findByRole('button', { name: 'Project: West Coast' })).toBeVisible()
})

test('an invitation can be left to another account', async () => {
  const { user } = renderApp(`/invitation?token=${GOOD_LINK}`, contractor(() => NOW))
  await user.click(await screen.findByRole('button', { name: 'Sign out and use another account' }))
  expect(await screen.findByLabelText(/Your name/)).toBeVisible()
})

test.each(['/invitation?token=used', '/reset?token=used'])('%s, a used link, says who makes a new one', async (path) => {
  renderApp(path, stranger())
  expect(await screen.findByRole('heading', { name: 'This link no longer works' })).toBeVisible()
  expect(screen.getByText(/^Ask an (admin|operator)/)).toBeVisible()
})

test('a reset link sets a new password', async () => {
  const { user, router } = renderApp(`/reset?token=${GOOD_LINK}`, stranger())
  expect(await screen.findByText(/For ines@example.com/)).toBeVisible()
  await waitFor(() => expect(router.state.location.href).toBe('/reset'))
  await user.type(screen.getByLabelText(/New password/), 'a long sentence is good')
  await user.click(screen.getByRole('button', { name: 'Set password' }))
  expect(await screen.findByRole('heading', { name: 'Your password is set' })).toBeVisible()
})
