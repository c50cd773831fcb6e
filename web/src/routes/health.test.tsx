import { screen, waitFor, within } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { expect, test } from 'vitest'
import { failed } from '@/test/answers'
import { NOW } from '@/test/factories'
import { aCredential, aHealth, aLadder, notChecked } from '@/test/factories-health'
import { renderApp } from '@/test/render'
import { server } from '@/test/server'
import { contractor } from '@/test/world'

const PAGE = '/integrations/integration-1'
/** The contractor's first integration, with what its checks say changed. */
function worldWith(current: Parameters<typeof aHealth>[2]) {
  const world = contractor(() => NOW)
  const [integration] = world.integrations
  if (!integration) throw new Error('the world is empty')
  world.health.set(integration.id, aHealth(integration, NOW, current))
  return world
}

/** The panel once there is a check in it. */
async function lastCheck() {
  await screen.findByRole('list', { name: 'Rungs of the last check' })
  return screen.getByRole('region', { name: 'Last check' })
}

test('the ladder of the last check has its timings, the certificate and the scopes', async () => {
  renderApp(PAGE)
  const ladder = await screen.findByRole('list', { name: 'Rungs of the last check' })
  const rungs = within(ladder).getAllByRole('listitem').map((rung) => rung.textContent)
  expect(rungs[0]).toBe('Name (DNS)passed3 ms')
  expect(rungs[2]).toBe('Encryption (TLS)passed, the certificate expires in 61 days24 ms')
  expect(rungs[5]).toBe('Scopespassed: 4 of 40 ms')
  expect(screen.getByText(/^checked/)).toHaveTextContent('checked 2 min ago in 169 ms, next in 3 min')
})

test('a failing rung is named, explained, and has the one button that helps', async () => {
  renderApp('/integrations/integration-2')
  const panel = await lastCheck()
  const failing = within(panel).getByText('failed: 401 invalid_grant')
  expect(failing.closest('li')).toHaveTextContent('Credential')
  expect(within(panel).getAllByText('not reached')).toHaveLength(2)
  expect(within(panel).getByText('The provider no longer accepts our token')).toBeVisible()
  expect(within(panel).getByText('Send the payroll again.')).toBeVisible()
  expect(within(panel).getByRole('link', { name: /^Documentation/ })).toHaveAttribute('href', 'https://docs.example.com/auth')
  expect(within(panel).getByRole('link', { name: 'Change the credential' })).toBeVisible()
})

test('a credential that was typed in is changed in the settings', async () => {
  renderApp(PAGE, worldWith({ errorMessage: 'The key is refused.', errorCode: 'auth_refused', ladder: aLadder('credential'), credential: aCredential({ kind: 'api_key' }) }))
  expect(await screen.findByRole('link', { name: 'Change the credential' })).toHaveAttribute('href', `${PAGE}?tab=settings`)
})

test('what may pass by itself is checked again', async () => {
  renderApp(PAGE, worldWith({ errorMessage: 'No answer within 5 s.', errorCode: 'timeout', ladder: aLadder('http') }))
  const panel = await lastCheck()
  expect(within(panel).getByRole('button', { name: 'Check now' })).toBeVisible()
})

test('checking now says what came of it; the second time within a minute how long to wait', async () => {
  const { user } = renderApp(PAGE)
  const button = await screen.findByRole('button', { name: 'Check now' })
  await user.click(button)
  expect(await screen.findByText('Procore, checked in 169 ms: all went well.')).toBeVisible()
  await user.click(button)
  expect(await screen.findByText(/The next check may be asked for in 60 s/)).toBeVisible()
  expect(screen.getByRole('button', { name: 'Check again in 60 s' })).toBeDisabled()
})

test('the bars of uptime give their exact values to the keyboard, and unknown time counts for nothing', async () => {
  const { user } = renderApp('/integrations/integration-2')
  const bars = await screen.findByRole('slider', { name: 'Uptime of the last 24 hours' })
  expect(bars).toHaveAttribute('aria-valuetext', expect.stringMatching(/healthy 24 min.*down 6 min/))
  bars.focus()
  await user.keyboard('{Home}')
  expect(bars).toHaveAttribute('aria-valuetext', expect.stringMatching(/: unknown 30 min$/))
  const panel = screen.getByRole('region', { name: 'Uptime' })
  expect(panel).toHaveTextContent('24 hours99.53 % up89.6 % of the time known')
})

test('the chart of response times speaks: a sentence, and each value by arrow key', async () => {
  const { user } = renderApp(PAGE)
  const chart = await screen.findByRole('slider', { name: 'Response time of each check' })
  expect(chart).toHaveAttribute('aria-valuenow', '99')
  chart.focus()
  await user.keyboard('{ArrowLeft}')
  expect(chart).toHaveAttribute('aria-valuetext', expect.stringMatching(/9:34.*took \d+ ms, failed after –/))
  expect(screen.getByText(/95 % at most 240 ms; 100 % went well/)).toBeVisible()
})

test('the window is in the address, and hours have median and slow end', async () => {
  const { user, router } = renderApp(PAGE)
  await user.click(await screen.findByRole('radio', { name: '7 d' }))
  await waitFor(() => expect(router.state.location.search).toMatchObject({ window: '7d' }))
  expect(await screen.findByRole('slider', { name: 'Response time by hour' })).toHaveAttribute('aria-valuetext', expect.stringMatching(/p95 \d+ ms, p50 \d+ ms/))
})

test('a rate limit says when it runs out', async () => {
  renderApp(PAGE)
  const panel = await screen.findByRole('region', { name: 'Rate limits' })
  expect(panel).toHaveTextContent('1,480 left of 5,000')
  expect(panel).toHaveTextContent('At this rate it is used up in 25 min, before it is full again in 40 min.')
})

test('before the first check the page says when it comes', async () => {
  const world = contractor(() => NOW)
  const [integration] = world.integrations
  if (integration) world.health.set(integration.id, notChecked(integration))
  renderApp(PAGE, world)
  expect(await screen.findByText('Not checked yet: the first check is on its way')).toBeVisible()
  expect(screen.queryByRole('region', { name: 'Uptime' })).toBeNull()
})

test('checks that are off are said to be off', async () => {
  const world = contractor(() => NOW)
  const [integration] = world.integrations
  if (integration) world.health.set(integration.id, notChecked(integration, NOW, { checked: false }))
  renderApp(PAGE, world)
  expect(await screen.findByText('Not checked yet: checks are off')).toBeVisible()
})

test('what is old says as of when, and why', async () => {
  renderApp(PAGE, worldWith({ stale: true }))
  expect(await screen.findByText(/we cannot reach the database/)).toHaveTextContent(/^as of \d\d:41, we cannot reach the database$/)
})

test('an error leaves the rest of the page, and can be tried again', async () => {
  const { user } = renderApp(PAGE)
  server.use(http.get('*/api/integrations/:id/health', () => failed(503, 'unavailable', 'The database cannot be reached.')))
  expect(await screen.findByRole('region', { name: 'Condition' })).toBeVisible()
  const panel = await screen.findByRole('region', { name: 'Last check' })
  expect(await within(panel).findByText('The database cannot be reached.')).toBeVisible()
  server.use(http.get('*/api/integrations/:id/health', () => HttpResponse.json(worldWith({}).health.get('integration-1'))))
  await user.click(within(panel).getByRole('button', { name: 'Try again' }))
  expect(await screen.findByRole('list', { name: 'Rungs of the last check' })).toBeVisible()
})
