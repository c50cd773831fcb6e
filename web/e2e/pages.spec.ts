import { AxeBuilder } from '@axe-core/playwright'
import { expect, test, type Page } from '@playwright/test'
import { createSender, decline, deliver, type Sender } from './contractor'
import { SESSION_FILE } from './environment.ts'

type Path = (found: { sender: Sender; problem: string; event: string }) => string
const PAGES: [name: string, path: Path][] = [
  ['overview', () => '/'],
  ['event drawer', ({ event }) => `/?event=${event}`],
  ['events', () => '/events'],
  ['no events', () => '/events?q=nothing-has-this-text'],
  ['problems', () => '/problems'],
  ['problem', ({ problem }) => `/problems/${problem}`],
  ['integrations', () => '/integrations'],
  ['catalogue', () => '/integrations/new'],
  ['create form', () => '/integrations/new?provider=stripe'],
  ['integration health', ({ sender }) => `/integrations/${sender.id}`],
  ['integration health by hour', ({ sender }) => `/integrations/${sender.id}?window=7d`],
  ['integration events', ({ sender }) => `/integrations/${sender.id}?tab=events`],
  ['integration problems', ({ sender }) => `/integrations/${sender.id}?tab=problems`],
  ['integration webhook', ({ sender }) => `/integrations/${sender.id}?tab=webhook`],
  ['integration settings', ({ sender }) => `/integrations/${sender.id}?tab=settings`],
  ['settings', () => '/settings'],
  ['project settings', () => '/settings?tab=project'],
  ['members', () => '/settings?tab=members'],
  ['keys', () => '/settings?tab=keys'],
  ['demo', () => '/settings?tab=demo'],
  ['audit', () => '/settings?tab=audit'],
  ['audit without a match', () => '/settings?tab=audit&q=nothing-has-this-text'],
  ['profile', () => '/profile'],
  ['profile security', () => '/profile?tab=security'],
  ['profile sessions', () => '/profile?tab=sessions'],
  ['profile keys', () => '/profile?tab=keys'],
  ['admin projects', () => '/admin'],
  ['admin people', () => '/admin?tab=people'],
  ['admin health', () => '/admin?tab=health'],
  ['admin audit', () => '/admin?tab=audit'],
  ['sign-in', () => '/sign-in'],
  ['failed sign-in', () => '/sign-in?failed=oidc_unknown_person'],
  ['invitation with a bad link', () => '/invitation?token=no-such-token'],
  ['invitation without a token', () => '/invitation'],
  ['reset with a bad link', () => '/reset?token=no-such-token'],
  ['not found', () => '/nowhere'],
]

let found: Parameters<Path>[0]

test.beforeAll(async ({ browser }, info) => {
  const context = await browser.newContext({ storageState: SESSION_FILE, baseURL: info.project.use.baseURL ?? '' })
  const sender = await createSender(context.request, `Axe ${info.project.name} ${Date.now()}`)
  await deliver(context.request, sender.webhookUrl, sender.secret, decline())
  const list = async (what: string) =>
    (await (await context.request.get(`/api/${what}?integration=${sender.id}`)).json()) as { items: { id: string }[] }
  await expect.poll(async () => (await list('problems')).items.length).toBe(1)
  const [problems, events] = [await list('problems'), await list('events')]
  found = { sender, problem: problems.items[0]?.id ?? '', event: events.items[0]?.id ?? '' }
  await context.close()
})

async function settled(page: Page) {
  await expect(page.getByRole('heading').first()).toBeAttached()
  await expect(page.locator('[aria-label^="Loading"]')).toHaveCount(0)
  // A half-finished transition has half a contrast.
  await page.evaluate(() => Promise.allSettled(document.getAnimations().map((animation) => animation.finish?.())))
}

for (const theme of ['light', 'dark']) {
  test.describe(theme, () => {
    for (const [name, path] of PAGES) {
      test(`${name} is accessible, fits, and keeps to the content security policy`, async ({ page }) => {
        const complaints: string[] = []
        page.on('console', (message) => {
          if (/Content Security Policy/i.test(message.text())) complaints.push(message.text())
        })
        page.on('pageerror', (error) => complaints.push(error.message))
        await page.emulateMedia({ reducedMotion: 'reduce' })
        await page.addInitScript((value) => localStorage.setItem('lk.theme', value), theme)
        await page.goto(path(found))
        await settled(page)
        const { violations } = await new AxeBuilder({ page }).analyze()
        expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`)).toEqual([])
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - globalThis.innerWidth)
        expect(overflow, 'pixels wider than the window').toBeLessThanOrEqual(0)
        expect(complaints).toEqual([])
      })
    }
  })
}
