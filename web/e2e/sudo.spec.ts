import { expect, type Page } from '@playwright/test'
import { ageProof, signIn, test, type Person } from './people.ts'

const question = (page: Page) => page.getByRole('dialog', { name: 'Confirm it is you' })

/** A wrong password first, then the right one. */
async function prove(page: Page, person: Person) {
  const dialog = question(page)
  await dialog.getByLabel('Password').fill('certainly not this one')
  await dialog.getByRole('button', { name: 'Confirm', exact: true }).click()
  await expect(dialog.getByRole('alert')).toContainText('not your password')
  await dialog.getByLabel('Password').fill(person.password)
  await dialog.getByRole('button', { name: 'Confirm', exact: true }).click()
  await expect(dialog).toBeHidden()
}

test('an old proof is asked for again, and what was begun goes on by itself', async ({ page, owner }) => {
  const person = await owner.add('Suda Proof', { operator: true })
  await page.goto('/settings')
  await signIn(page, person)
  await expect(page.getByRole('heading', { level: 1, name: 'Settings' })).toBeVisible()

  ageProof(person)
  await page.getByRole('link', { name: 'Audit log' }).click()
  await expect(question(page)).toBeVisible()
  await prove(page, person)
  await expect(page.getByRole('list', { name: 'Changes, newest first' })).toBeVisible()

  await page.getByRole('link', { name: 'API keys' }).click()
  await page.getByRole('button', { name: 'New key' }).click()
  const name = `Asked twice ${Date.now()}`
  await page.getByRole('dialog', { name: 'New API key' }).getByLabel('Name', { exact: true }).fill(name)
  ageProof(person)
  await page.getByRole('button', { name: 'Create key' }).click()
  await prove(page, person)
  const shown = page.getByRole('dialog', { name: 'Your new key' })
  await expect(shown).toContainText(`Give it to ${name}`)
  await shown.getByRole('button', { name: 'Done' }).click()
  await expect(page.getByRole('button', { name: `Revoke ${name}` })).toHaveCount(1)
})

test('who declines sees nothing, and is asked again only when they want to', async ({ page, owner }) => {
  const person = await owner.add('Dena Decline', { operator: true })
  await page.goto('/admin')
  await signIn(page, person)
  await expect(page.getByRole('heading', { level: 1, name: 'Admin' })).toBeVisible()
  ageProof(person)
  await page.getByRole('link', { name: 'People' }).click()
  await question(page).getByRole('button', { name: 'Cancel' }).click()
  await expect(page.getByText('Shown after you confirm that it is you')).toBeVisible()
  await expect(page.getByText(person.email)).toHaveCount(0)
  await page.getByRole('button', { name: 'Confirm it is you' }).click()
  await prove(page, person)
  await expect(page.getByText(person.email)).toBeVisible()
})
