import { screen, waitFor, within } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { expect, test } from 'vitest'
import { keys } from '@/api/keys'
import type { Role } from '@/api/types'
import { NOW } from '@/test/factories'
import { renderApp } from '@/test/render'
import { server } from '@/test/server'
import { contractor } from '@/test/world'

const as = (role: Role | null, operator = false) => {
  const world = contractor(() => NOW)
  Object.assign(world.people, { role, operator })
  return world
}

test('a role is changed, and a change in between is not overwritten', async () => {
  const { user, world } = renderApp('/settings?tab=members')
  const theo = () => world.people.members.find((member) => member.userId === 'user-2')
  const role = await screen.findByRole('button', { name: /Role of Theo Lindqvist/ })
  Object.assign(theo() ?? {}, { role: 'viewer', version: 2 })
  await user.click(role)
  await user.click(await screen.findByRole('option', { name: 'Admin' }))
  expect(await screen.findByRole('alert')).toHaveTextContent('Theo Lindqvist changed this member 2 minutes ago.')
  expect(theo()?.role).toBe('viewer')
  await user.click(screen.getByRole('button', { name: 'Load the newest' }))
  await waitFor(() => expect(screen.getByRole('button', { name: /Role of Theo Lindqvist/ })).toHaveTextContent('Viewer'))
  await user.click(screen.getByRole('button', { name: /Role of Theo Lindqvist/ }))
  await user.click(await screen.findByRole('option', { name: 'Admin' }))
  await waitFor(() => expect(theo()?.role).toBe('admin'))
})

test('the last owner stays, and it says why', async () => {
  renderApp('/settings?tab=members')
  expect(await screen.findByRole('button', { name: /Role of Mara Novak/ })).toBeDisabled()
  expect(screen.getByRole('button', { name: 'Remove Mara Novak' })).toBeDisabled()
  expect(screen.getByText('The last owner: make somebody else owner first.')).toBeVisible()
  expect(screen.getByText('(you)')).toBeVisible()
})

test('only owners can make owners', async () => {
  const { user } = renderApp('/settings?tab=members', as('admin'))
  await user.click(await screen.findByRole('button', { name: /Role of Theo Lindqvist/ }))
  expect((await screen.findAllByRole('option')).map((option) => option.textContent)).toEqual(['Viewer', 'Editor', 'Admin'])
})

test('a viewer sees who is there and no control over them', async () => {
  renderApp('/settings?tab=members', as('viewer'))
  expect(await screen.findByText('Theo Lindqvist')).toBeVisible()
  expect(screen.queryByRole('button', { name: /Role of|Remove|Invite/ })).toBeNull()
  expect(screen.queryByRole('link', { name: 'Audit log' })).toBeNull()
})

test('removing a member names what happens', async () => {
  const { user, world } = renderApp('/settings?tab=members')
  await user.click(await screen.findByRole('button', { name: 'Remove Theo Lindqvist' }))
  const dialog = await screen.findByRole('alertdialog')
  expect(dialog).toHaveTextContent('Theo Lindqvist no longer sees Acme Builders.')
  await user.click(within(dialog).getByRole('button', { name: 'Remove' }))
  await waitFor(() => expect(world.people.members).toHaveLength(2))
})

test('an invitation is made, its link shown once, and taken back', async () => {
  const { user, world } = renderApp('/settings?tab=members')
  await user.click(await screen.findByRole('button', { name: 'Invite somebody' }))
  await user.type(screen.getByLabelText(/Email/), 'noor@example.com')
  await user.click(screen.getByRole('button', { name: 'Make the link' }))
  expect(await screen.findByText('https://keeper.example.com/invitation?token=made-for-you')).toBeVisible()
  await user.click(screen.getByRole('button', { name: 'Done' }))
  await user.click(await screen.findByRole('button', { name: 'Revoke the invitation of noor@example.com' }))
  await waitFor(() => expect(world.people.invitations).toHaveLength(2))
})

test('a key is given no more than its role allows', async () => {
  const { user, world } = renderApp('/settings?tab=keys')
  await user.click(await screen.findByRole('button', { name: 'New key' }))
  const dialog = await screen.findByRole('dialog', { name: 'New API key' })
  await user.type(within(dialog).getByLabelText(/Name/), 'Status board')
  expect(within(dialog).getAllByRole('checkbox')).toHaveLength(1)
  await user.click(within(dialog).getByRole('button', { name: /Role/ }))
  await user.click(await screen.findByRole('option', { name: 'Admin' }))
  expect(within(dialog).getAllByRole('checkbox')).toHaveLength(4)
  await user.click(within(dialog).getByRole('checkbox', { name: 'Administration' }))
  await user.click(within(dialog).getByRole('button', { name: 'Create key' }))
  expect(await screen.findByText('lk_example_not_a_real_key')).toBeVisible()
  expect(world.people.keys[0]).toMatchObject({ name: 'Status board', role: 'admin', scopes: ['read', 'triage', 'integrations'], expiresAt: new Date(NOW + 90 * 86_400_000).toISOString() })
})

test('keys say when they end', async () => {
  renderApp('/settings?tab=keys')
  const panel = await screen.findByRole('region', { name: 'API keys' })
  expect(await within(panel).findByText('Expired')).toBeVisible()
  expect(panel).toHaveTextContent('Expires soon: in 3 d')
  expect(within(panel).getByText('does not expire')).toBeVisible()
})

test('a project is deleted only by its short name, after saying what is lost', async () => {
  const { user, world } = renderApp('/settings?tab=project')
  let body: unknown
  server.use(
    http.delete('*/api/projects/:id', async ({ request }) => {
      body = await request.json()
      return new HttpResponse(null, { status: 204 })
    }),
  )
  await user.click(await screen.findByRole('button', { name: 'Delete Acme Builders' }))
  const dialog = await screen.findByRole('alertdialog')
  expect(dialog).toHaveTextContent('every event of theirs and 4 open problems')
  const confirm = within(dialog).getByRole('button', { name: 'Delete for good' })
  await user.type(within(dialog).getByLabelText(/Type acme to confirm/), 'acm')
  expect(confirm).toBeDisabled()
  await user.type(within(dialog).getByLabelText(/Type acme to confirm/), 'e')
  await user.click(confirm)
  await waitFor(() => expect(body).toEqual({ confirm: 'acme' }))
  expect(world.people.projects).toHaveLength(2)
})

test('a switch of the project is flipped at once', async () => {
  const { user, world } = renderApp('/settings?tab=project')
  await user.click(await screen.findByRole('switch', { name: 'Shadow mode' }))
  await waitFor(() => expect(world.people.projects[0]?.flags.shadow).toBe(true))
  expect(await screen.findByTitle(/nobody is alerted/)).toHaveTextContent('Shadow mode')
})

test('the audit log is filtered by its address and says how each thing ended', async () => {
  const { user, router } = renderApp('/settings?tab=audit&result=denied')
  const rows = await screen.findByRole('list', { name: 'Changes, newest first' })
  expect(within(rows).getAllByRole('listitem')).toHaveLength(1)
  expect(rows).toHaveTextContent('Denied')
  expect(screen.getByRole('link', { name: 'Export CSV' })).toHaveAttribute('href', expect.stringMatching(/scope=project.*result=denied.*format=csv/))
  await user.click(screen.getByRole('button', { name: 'Clear' }))
  await user.click(screen.getByRole('button', { name: /Action/ }))
  await user.click(await screen.findByRole('option', { name: 'Members' }))
  await waitFor(() => expect(router.state.location.search).toMatchObject({ tab: 'audit', action: 'member.' }))
  expect(await screen.findByText('Theo Lindqvist: viewer to editor')).toBeVisible()
  await user.type(screen.getByRole('searchbox', { name: 'Search the audit log' }), 'nothing has this')
  expect(await screen.findByText('No row matches')).toBeVisible()
})

test('older rows are loaded on demand', async () => {
  const { user } = renderApp('/settings?tab=audit')
  await user.click(await screen.findByRole('button', { name: 'Load older rows' }))
  expect(await screen.findByText('Problem 1')).toBeVisible()
  expect(screen.queryByRole('button', { name: 'Load older rows' })).toBeNull()
})

test('a role that is not enough finds no admin place and is told who may', async () => {
  renderApp('/admin', as('owner'))
  expect(await screen.findByText('For operators of this installation')).toBeVisible()
  expect(within(screen.getByRole('navigation', { name: 'Main' })).queryByRole('link', { name: 'Admin' })).toBeNull()
})

test('an operator adds somebody and disables somebody', async () => {
  const { user, world } = renderApp('/admin?tab=people')
  const main = await screen.findByRole('navigation', { name: 'Main' })
  expect(within(main).getByRole('link', { name: 'Admin' })).toBeVisible()
  await user.click(await screen.findByRole('button', { name: 'Add somebody' }))
  await user.type(screen.getByLabelText(/Name/), 'Noor')
  await user.type(screen.getByLabelText(/Email/), 'noor@example.com')
  await user.click(screen.getByRole('button', { name: 'Add' }))
  expect(await screen.findByText('https://keeper.example.com/reset?token=made-for-you')).toBeVisible()
  await user.click(screen.getByRole('button', { name: 'Done' }))
  await user.click(await screen.findByRole('button', { name: 'Actions for Theo Lindqvist' }))
  await user.click(await screen.findByRole('menuitem', { name: 'Disable' }))
  await user.click(within(await screen.findByRole('alertdialog')).getByRole('button', { name: 'Disable' }))
  await waitFor(() => expect(world.people.users[1]?.disabledAt).not.toBeNull())
})

test('the check of the log says in words what is wrong', async () => {
  const world = contractor(() => NOW)
  const { user } = renderApp('/admin?tab=audit', world)
  await user.click(await screen.findByRole('button', { name: 'Check the log' }))
  expect(await screen.findByText(/The log is whole: 66 rows/)).toBeVisible()
  world.people.auditProblem = { seq: 12, kind: 'edited', message: 'row 12 was changed after it was written.' }
  await user.click(screen.getByRole('button', { name: 'Check the log' }))
  expect(await screen.findByText(/The log is not whole: row 12 was changed/)).toBeVisible()
})

test('who belongs to no project is told what to do', async () => {
  const { router } = renderApp('/problems', as(null))
  expect(await screen.findByText(/Ask an admin of the project for an invitation/)).toBeVisible()
  expect(router.state.location.pathname).toBe('/problems')
})

test('who is taken out of the project on screen is told, and sees the next one', async () => {
  const world = as('editor')
  world.people.extraProjects = [{ id: 'project-2', slug: 'west-coast', name: 'West Coast', role: 'viewer', flags: { healthUi: true, statusApi: true, shadow: false } }]
  const { client } = renderApp('/settings?tab=members', world)
  expect(await screen.findByText('Theo Lindqvist')).toBeVisible()
  world.people.role = null
  world.people.members = []
  await client.invalidateQueries({ queryKey: keys.session })
  expect(await screen.findByText('You are no longer a member of Acme Builders. What you see now is West Coast.')).toBeVisible()
  expect(await screen.findByText('No members')).toBeVisible()
})

test('whose session has ended is led to the sign-in page by the next thing they do, and back from there', async () => {
  const { user, router, world } = renderApp('/profile')
  await user.type(await screen.findByRole('textbox', { name: /^Name/ }), ' II')
  world.signedIn = false
  server.use(http.patch('*/api/profile', () => HttpResponse.json({ error: { code: 'unauthenticated', message: 'Sign in.' } }, { status: 401 })))
  await user.click(screen.getByRole('button', { name: 'Save' }))
  expect(await screen.findByRole('heading', { name: 'Sign in' })).toBeVisible()
  expect(router.state.location.search).toEqual({ next: '/profile' })
})

test('many projects are found by typing', async () => {
  const world = contractor(() => NOW)
  world.people.extraProjects = Array.from({ length: 9 }, (_, index) => ({
    id: `more-${index}`,
    slug: `more-${index}`,
    name: `Site ${index}`,
    role: 'viewer' as const,
    flags: { healthUi: true, statusApi: true, shadow: index === 4 },
  }))
  const { user } = renderApp('/', world)
  await user.click(await screen.findByRole('button', { name: 'Project: Acme Builders' }))
  await user.type(await screen.findByRole('searchbox', { name: 'Find a project' }), 'site 4')
  expect(screen.getByRole('menuitem')).toHaveTextContent('Site 4Viewer, shadow mode')
})
