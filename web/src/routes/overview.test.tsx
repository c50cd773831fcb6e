import { screen, waitFor, within } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { expect, test, vi } from 'vitest'
import { failed } from '@/test/answers'
import { NOW } from '@/test/factories'
import { FAILURES } from '@/test/fixtures/failures'
import { renderApp } from '@/test/render'
import { server } from '@/test/server'
import { contractor, World } from '@/test/world'

test('opens on what is wrong, worst first', async () => {
  renderApp('/')
  expect(await screen.findByRole('heading', { level: 1, name: '2 of 5 integrations need you' })).toBeVisible()
  const needs = await screen.findByRole('region', { name: 'Needs you' })
  const names = within(needs).getAllByRole('link', { name: /payroll|QuickBooks/ })
  expect(names.map((link) => link.textContent)).toEqual(['Gusto payroll', 'QuickBooks'])
  expect(needs).toHaveTextContent('down 14 min')
})

test('an arriving failure is on top of the stream, in its card and in the numbers', async () => {
  const { world } = renderApp('/')
  const list = await screen.findByRole('list', { name: 'Events, newest first' })
  const card = world.integrations[3]
  const decline = FAILURES.find((failure) => failure.provider === card?.provider)
  if (!card || !decline) throw new Error('the world lacks field cards')
  world.emit('event', { ...world.addEvent(card, NOW, { ...decline, message: 'Declined: a test of the stream' }) })
  await waitFor(() => expect(within(list).getAllByRole('listitem')[0]).toHaveTextContent('Declined: a test of the stream'))
})

test('a paused stream stands still and counts what waits', async () => {
  const { world, user } = renderApp('/')
  const list = await screen.findByRole('list', { name: 'Events, newest first' })
  await screen.findByText('live')
  await user.click(screen.getByRole('button', { name: 'Pause' }))
  const first = within(list).getAllByRole('listitem')[0]?.textContent
  const integration = world.integrations[0]
  if (integration) world.emit('event', world.addEvent(integration, NOW, null))
  expect(await screen.findByRole('button', { name: 'Resume (1 waiting)' })).toBeVisible()
  expect(within(list).getAllByRole('listitem')[0]?.textContent).toBe(first)
})

test('filters are in the address', async () => {
  const { user, router } = renderApp('/')
  await screen.findByRole('list', { name: 'Events, newest first' })
  await user.click(screen.getByRole('button', { name: 'Failures only' }))
  await waitFor(() => expect(router.state.location.search).toMatchObject({ status: 'failure' }))
  const list = await screen.findByRole('list', { name: 'Events, newest first' })
  await waitFor(() => expect(within(list).queryAllByRole('img', { name: 'Succeeded' })).toHaveLength(0))
})

test('an explanation is marked helpful from the triage list', async () => {
  const { world, user } = renderApp('/')
  const before = world.marks.yes
  const triage = await screen.findByRole('region', { name: 'Triage' })
  await user.click(await within(triage).findByRole('button', { name: 'Helpful' }))
  await waitFor(() => expect(world.marks.yes).toBe(before + 1))
  expect(within(triage).getByRole('button', { name: 'Helpful' })).toHaveAttribute('aria-pressed', 'true')
})

test('the keyboard moves among rows and acknowledges the problem that has the focus', async () => {
  const { world, user } = renderApp('/')
  const triage = await screen.findByRole('region', { name: 'Triage' })
  const second = (await within(triage).findAllByRole('button', { expanded: false }))[0]
  second?.focus()
  await user.keyboard('a')
  const id = second?.dataset['row']
  await waitFor(() => expect(world.problems.find((problem) => problem.id === id)?.state).toBe('acknowledged'))
})

/** Says over the stream that the first integration went down. */
function bringDown(world: World) {
  const integration = world.integrations[0]
  if (!integration) throw new Error('the world is empty')
  const { id, healthSince, score, status, record24h, lastEventAt, openProblems } = integration
  const reasons = [{ code: 'provider_outage', message: 'It answers with 503.' }]
  world.emit('status', { id, health: 'down', healthSince, reasons, score, status, record24h, lastEventAt, openProblems })
}

test('says aloud on every page that an integration went down, and leads to it', async () => {
  const { world, client } = renderApp('/settings')
  await screen.findByRole('heading', { name: 'Settings' })
  await screen.findByText('live')
  await waitFor(() => expect(client.getQueryData(['integrations'])).toBeDefined())
  bringDown(world)
  const notice = await screen.findByText(/is down\./)
  expect(notice.closest('[aria-live=assertive]')).toHaveTextContent('Procore is down. It answers with 503.')
  expect(within(notice).getByRole('link', { name: 'Procore' })).toHaveAttribute('href', '/integrations/integration-1')
})

test('offers the notifications of the browser while something is down, and uses them when looked away from', async () => {
  const shown: string[] = []
  class FakeNotification extends EventTarget {
    static permission: NotificationPermission = 'default'
    static async requestPermission() {
      FakeNotification.permission = 'granted'
      return FakeNotification.permission
    }
    constructor(title: string) {
      super()
      shown.push(title)
    }
  }
  vi.stubGlobal('Notification', FakeNotification)
  const { world, user } = renderApp('/')
  await screen.findByRole('region', { name: 'Integrations' })
  await screen.findByText('live')
  bringDown(world)
  await user.click(await screen.findByRole('button', { name: 'Allow notifications' }))
  await waitFor(() => expect(screen.queryByRole('button', { name: 'Allow notifications' })).toBeNull())
  expect(shown).toEqual([])
  const integration = world.integrations[0]
  if (integration) world.emit('status', { ...integration, health: 'healthy', reasons: [] })
  await waitFor(() => expect(screen.queryByText(/is down\./)).toBeNull())
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden')
  bringDown(world)
  await waitFor(() => expect(shown).toEqual(['Procore is down']))
  vi.unstubAllGlobals()
})

test('a fresh installation offers the first integration and the demo', async () => {
  const { user } = renderApp('/', new World(() => NOW))
  expect(await screen.findByRole('link', { name: 'Add the first integration' })).toHaveAttribute('href', '/integrations/new')
  await user.click(await screen.findByRole('button', { name: 'Load the demo' }))
  expect(await screen.findByRole('heading', { level: 1, name: /integrations need you/ })).toBeVisible()
})

test('what cannot be loaded says what to do, and tries again', async () => {
  const world = contractor(() => NOW)
  const { user } = renderApp('/', world)
  server.use(http.get('*/api/problems', () => failed(500, 'internal', 'Something broke on our side.')))
  const alert = await screen.findByRole('alert')
  expect(alert).toHaveTextContent('Something broke on our side.')
  server.use(http.get('*/api/problems', () => HttpResponse.json({ items: [], nextCursor: null })))
  await user.click(within(alert).getByRole('button', { name: 'Try again' }))
  expect(await screen.findByText('Nothing to triage')).toBeVisible()
})
