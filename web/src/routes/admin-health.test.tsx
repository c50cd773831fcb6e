import { screen, waitFor, within } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { expect, test, vi } from 'vitest'
import { failed } from '@/test/answers'
import { anAdminHealth } from '@/test/factories-health'
import { renderApp } from '@/test/render'
import { server } from '@/test/server'

const PAGE = '/admin?tab=health'

test('the whole installation: totals, incidents with their timeline, the slowest and the most failing', async () => {
  renderApp(PAGE)
  const totals = await screen.findByRole('region', { name: 'Totals' })
  expect(totals).toHaveTextContent('14 integrations now')
  expect(totals).toHaveTextContent('went well98.4 %')
  const incidents = screen.getByRole('region', { name: 'Provider incidents' })
  const [open, closed] = within(incidents).getAllByRole('listitem').filter((item) => item.textContent.includes('affected'))
  expect(open).toHaveTextContent('open for 52 min, 3 integrations affected')
  expect(within(within(incidents).getByRole('list', { name: 'Timeline' })).getAllByRole('listitem')[1]).toHaveTextContent('Its status page says: investigating.')
  expect(closed).toHaveTextContent('closed 28 h ago')
  const failing = within(screen.getByRole('list', { name: 'Most failing, worst first' })).getAllByRole('listitem')
  expect(failing[0]).toHaveTextContent('Gusto payroll25 checks failed8.7 % of 288 checks')
  expect(within(screen.getByRole('list', { name: 'Slowest, worst first' })).getByRole('link', { name: 'Gusto payroll' })).toHaveAttribute('href', '/integrations/integration-2')
})

const providers = async () => within(await screen.findByRole('table', { name: 'Rates by provider' })).getAllByRole('rowheader').map((head) => head.textContent)

test('rates by provider are sorted by any column with the keyboard, and the address keeps the order', async () => {
  const { user, router } = renderApp(PAGE)
  expect(await providers()).toEqual([expect.stringContaining('Gusto'), expect.stringContaining('Stripe Issuing'), expect.stringContaining('Procore')])
  const table = screen.getByRole('table', { name: 'Rates by provider' })
  within(table).getByRole('button', { name: 'Average' }).focus()
  await user.keyboard('{Enter}')
  await waitFor(() => expect(router.state.location.search).toMatchObject({ sort: '-average' }))
  expect(await providers()).toEqual([expect.stringContaining('Gusto'), expect.stringContaining('Procore'), expect.stringContaining('Stripe Issuing')])
  expect(within(table).getByRole('columnheader', { name: 'Average' })).toHaveAttribute('aria-sort', 'descending')
  await user.keyboard('{Enter}')
  await waitFor(async () => expect((await providers())[0]).toContain('Stripe Issuing'))
})

test('the window is in the address and in what is asked for', async () => {
  const asked: (string | null)[] = []
  const { user, router } = renderApp(PAGE)
  await screen.findByRole('region', { name: 'Totals' })
  server.use(
    http.get('*/api/admin/integrations/health', ({ request }) => {
      asked.push(new URL(request.url).searchParams.get('window'))
      return HttpResponse.json(anAdminHealth('30d'))
    }),
  )
  await user.click(screen.getByRole('radio', { name: '30 d' }))
  await waitFor(() => expect(asked).toEqual(['30d']))
  expect(router.state.location.search).toMatchObject({ tab: 'health', window: '30d' })
})

test('the trend can be read without seeing it', async () => {
  const { user } = renderApp(PAGE)
  const chart = await screen.findByRole('slider', { name: 'Checks that failed' })
  chart.focus()
  await user.keyboard('{Home}')
  expect(chart).toHaveAttribute('aria-valuetext', expect.stringMatching(/: failed \d$/))
  expect(screen.getByText(/of 4,032 checks failed, at most/)).toBeVisible()
})

test('exports lead to a file of the window, after the proof that a download cannot ask for', async () => {
  const assign = vi.fn<(url: string) => void>()
  vi.stubGlobal('location', { ...globalThis.location, assign })
  const { user } = renderApp(`${PAGE}&window=7d`)
  await screen.findByRole('region', { name: 'Totals' })
  await user.click(screen.getByRole('button', { name: 'Export CSV' }))
  await waitFor(() => expect(assign).toHaveBeenCalledWith('/api/admin/integrations/health/export?format=csv&from=2026-11-14T09%3A41%3A00.000Z'))
  vi.unstubAllGlobals()
})

test('without integrations it says what comes, and an error can be tried again', async () => {
  const { user } = renderApp(PAGE)
  server.use(http.get('*/api/admin/integrations/health', () => failed(503, 'unavailable', 'The database cannot be reached.')))
  expect(await screen.findByText('The database cannot be reached.')).toBeVisible()
  const empty = anAdminHealth('24h')
  empty.totals = { integrations: 0, healthy: 0, degraded: 0, down: 0, unknown: 0 }
  server.use(http.get('*/api/admin/integrations/health', () => HttpResponse.json(empty)))
  await user.click(screen.getByRole('button', { name: 'Try again' }))
  expect(await screen.findByText('No project has an integration yet')).toBeVisible()
})
