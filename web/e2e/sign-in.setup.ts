import { expect, test } from '@playwright/test'
import { SESSION_FILE } from './environment.ts'

const email = process.env['LK_EMAIL'] ?? ''
const password = process.env['LK_PASSWORD'] ?? ''

test('a wrong password is refused, the right one leads on', async ({ page }) => {
  await page.goto('/settings')
  await expect(page).toHaveURL(/\/sign-in\?next=/)
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').fill(`${password}, but wrong`)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('alert')).toBeVisible()
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Settings' })).toBeVisible()
  await page.context().storageState({ path: SESSION_FILE })
})
