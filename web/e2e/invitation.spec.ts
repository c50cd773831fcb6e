import { expect } from '@playwright/test'
import { BASE_URL, SESSION_FILE } from './environment.ts'
import { test } from './people.ts'

test('an invited newcomer joins with the role, and is told when the owner takes them out', async ({ page, browser, owner }) => {
  const email = `newcomer.${Date.now()}@example.com`
  const context = await browser.newContext({ baseURL: BASE_URL, storageState: SESSION_FILE })
  const settings = await context.newPage()
  await settings.goto('/settings?tab=members')
  await settings.getByRole('button', { name: 'Invite somebody' }).click()
  const invite = settings.getByRole('dialog', { name: 'Invite somebody' })
  await invite.getByLabel('Email').fill(email)
  await invite.getByRole('button', { name: /Role/ }).click()
  await settings.getByRole('option', { name: 'Editor' }).click()
  await invite.getByRole('button', { name: 'Make the link' }).click()
  const made = settings.getByRole('dialog', { name: 'Invitation link' })
  await expect(made).toContainText(`it is for that address only`)
  const link = await made.locator('code').innerText()
  await made.getByRole('button', { name: 'Done' }).click()
  await expect(settings.getByText(email)).toBeVisible()

  await page.goto(link)
  await expect(page.getByText(/invites you as Editor/)).toBeVisible()
  await expect(page, 'the token leaves the address').toHaveURL(/\/invitation$/)
  await page.getByLabel('Your name').fill('Nell Newcomer')
  await expect(page.getByLabel('Email')).toHaveValue(email)
  await page.getByLabel('Password').fill('a sentence is a good password')
  await page.getByRole('button', { name: 'Create account and join' }).click()
  await expect(page.getByRole('button', { name: `Account: Nell Newcomer, ${email}` })).toBeVisible()
  await expect(page.getByText('live', { exact: true })).toBeVisible()

  const main = page.getByRole('navigation', { name: 'Main' })
  await expect(main.getByRole('link', { name: 'Admin' })).toHaveCount(0)
  await main.getByRole('link', { name: 'Integrations' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Integrations' })).toBeVisible()
  await expect(page.getByRole('link', { name: /Add integration/ })).toHaveCount(0)
  await main.getByRole('link', { name: 'Settings' }).click()
  const parts = page.getByRole('navigation', { name: 'Parts of the settings' })
  await expect(parts.getByRole('link')).toHaveText(['Appearance', 'Project', 'Members'])
  await parts.getByRole('link', { name: 'Members' }).click()
  const row = page.getByRole('region', { name: 'Members' }).getByRole('listitem').filter({ hasText: '(you)' })
  await expect(row).toContainText('Editor')
  await expect(page.getByRole('button', { name: /^Remove/ })).toHaveCount(0)
  await expect(page.getByRole('button', { name: 'Invite somebody' })).toHaveCount(0)

  // Used: it works for nobody else.
  const late = await context.newPage()
  await late.goto(link)
  await expect(late.getByRole('heading', { name: 'This link no longer works' })).toBeVisible()
  await late.close()

  await settings.reload()
  await settings.getByRole('button', { name: 'Remove Nell Newcomer' }).click()
  await settings.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click()
  await expect(settings.getByText('Nell Newcomer is no longer a member.')).toBeVisible()
  await expect(page.getByRole('alert')).toContainText('You are no longer a member of')
  await expect(page.getByRole('heading', { level: 1, name: 'No project yet' })).toBeVisible()
  await expect(page.getByText('live', { exact: true })).toHaveCount(0)

  // Signed out by the operator: the next action ends at the sign-in page, which leads back.
  const { user } = (await (await page.request.get('/api/session')).json()) as { user: { id: string } }
  await page.getByRole('link', { name: 'Your profile' }).click()
  await page.getByLabel('Name', { exact: true }).fill('Nell Renamed')
  await owner.call('delete', `/api/users/${user.id}/sessions`)
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page).toHaveURL(/\/sign-in\?next=%2Fprofile/)
  await context.close()
})
