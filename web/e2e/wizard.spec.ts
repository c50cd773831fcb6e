import { expect, test } from '@playwright/test'
import { approval, deliver, newSecret } from './contractor'

test('an integration is made, a wrong secret is explained, the first delivery is noticed', async ({ page, request }) => {
  const secret = newSecret()
  const name = `Wizard ${Date.now()}`
  await page.goto('/integrations/new')
  await page.getByRole('searchbox', { name: 'Search providers' }).fill('issuing')
  await page.getByRole('link', { name: /^Stripe/ }).click()
  await page.getByLabel('Name', { exact: true }).fill(name)
  await page.getByLabel(/Signing secret/).fill(secret)
  await page.getByRole('button', { name: 'Create integration' }).click()
  await expect(page.getByText('Waiting for the first delivery')).toBeVisible()

  const url = await page.getByRole('region', { name: `${name} is created` }).locator('code').first().innerText()
  expect(await deliver(request, url, newSecret(), approval())).toBe(401)
  await expect(page.getByText('Something arrived, but could not be verified')).toBeVisible()

  expect(await deliver(request, url, secret, approval())).toBe(200)
  await expect(page.getByText('It works.')).toBeVisible()
  await page.getByRole('link', { name: `Open ${name}` }).click()

  await page.getByRole('link', { name: /^Webhook/ }).click()
  await expect(page.getByRole('region', { name: 'Rejected deliveries' }).getByRole('listitem')).toHaveCount(1)
  await expect(page.getByRole('region', { name: 'Secrets' })).toContainText(secret.slice(-4))
  await page.getByRole('link', { name: 'Settings' }).last().click()
  await page.getByRole('button', { name: `Delete ${name}` }).click()
  await page.getByRole('button', { name: 'Delete for good' }).click()
  await expect(page).toHaveURL(/\/integrations$/)
  await expect(page.getByRole('list', { name: 'Integrations, worst first' }).getByText(name)).toHaveCount(0)
})
