import { expect, test } from '@playwright/test'
import { approval, createSender, decline, deliver } from './contractor'

test('a signed failing webhook appears live, is explained, and is marked helpful', async ({ page, request }) => {
  const sender = await createSender(request, `Field cards ${Date.now()}`)
  await page.goto('/')
  await expect(page.getByText('live', { exact: true })).toBeVisible()

  expect(await deliver(request, sender.webhookUrl, sender.secret, decline())).toBe(200)

  const newest = page.getByRole('list', { name: 'Events, newest first' }).getByRole('listitem').filter({ hasText: sender.name })
  await expect(newest).toContainText('Spending control')
  await expect(newest.getByRole('img', { name: 'Failed' })).toBeVisible()

  const problem = page.getByRole('region', { name: 'Triage' }).getByRole('listitem').filter({ hasText: sender.name })
  const heading = problem.getByRole('button', { expanded: false }).filter({ hasText: sender.name })
  if (await heading.isVisible()) await heading.click()
  await expect(problem.getByText('What to do')).toBeVisible()
  await expect(problem.getByText('Business impact')).toBeVisible()
  const helpful = problem.getByRole('button', { name: 'Helpful', exact: true })
  await helpful.click()
  await expect(helpful).toHaveAttribute('aria-pressed', 'true')

  await newest.getByRole('link').click()
  const drawer = page.getByRole('dialog', { name: 'Event' })
  await expect(drawer.getByText('redacted before it was stored')).toBeVisible()
  await expect(drawer.getByRole('heading', { name: 'Headers kept' })).toBeVisible()
  await expect(drawer.getByRole('button', { name: 'Helpful', exact: true })).toHaveAttribute('aria-pressed', 'true')
  await expect(page).toHaveURL(/\?event=/)
  await page.keyboard.press('Escape')
  await expect(drawer).toBeHidden()
})

test('a second tab shares the stream', async ({ context, request }) => {
  const sender = await createSender(request, `Shared ${Date.now()}`)
  const [first, second] = [await context.newPage(), await context.newPage()]
  const streams: string[] = []
  for (const page of [first, second]) {
    page.on('request', (sent) => {
      if (sent.url().includes('/api/integrations/events')) streams.push(sent.url())
    })
    await page.goto('/events')
    await expect(page.getByText('live', { exact: true })).toBeVisible()
  }
  expect(await deliver(request, sender.webhookUrl, sender.secret, approval())).toBe(200)
  for (const page of [first, second]) {
    await expect(page.getByRole('list', { name: 'Events, newest first' })).toContainText(sender.name)
  }
  expect(streams).toHaveLength(1)
})

test('the keyboard reaches everything', async ({ page, request }) => {
  const sender = await createSender(request, `Keyboard ${Date.now()}`)
  await deliver(request, sender.webhookUrl, sender.secret, decline())
  await page.goto('/events')
  await expect(page.getByRole('list', { name: 'Events, newest first' })).toContainText(sender.name)
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  const drawer = page.getByRole('dialog', { name: 'Event' })
  await expect(drawer).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(drawer).toBeHidden()
  await page.keyboard.press('/')
  await page.keyboard.type('declined')
  await expect(page).toHaveURL(/q=declined/)
  await page.keyboard.press('Escape')
  await page.locator('#main').focus()
  await page.keyboard.press('?')
  const help = page.getByRole('dialog', { name: 'Keyboard and signs' })
  await expect(help).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(help).toBeHidden()
  await page.keyboard.press('Control+k')
  await page.getByRole('searchbox', { name: 'Go to' }).fill(sender.name)
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(new RegExp(`/integrations/${sender.id}`))
  await page.keyboard.press('g')
  await page.keyboard.press('p')
  await expect(page.getByRole('heading', { level: 1, name: 'Problems' })).toBeVisible()
})
