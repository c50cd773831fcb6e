import { expect } from '@playwright/test'
import { pageOf, test } from './people.ts'

test('of two admins who change one member and one project, the second is told who changed what', async ({ browser, owner }) => {
  const member = await owner.add('Mo Member')
  const [ann, ben] = [await owner.add('Ann First', { operator: true }), await owner.add('Ben Second', { operator: true })]
  const project = await owner.projectWith('Two Desks', member, 'viewer', browser)
  const [first, second] = [
    await pageOf(browser, ann, '/settings?tab=members', project),
    await pageOf(browser, ben, '/settings?tab=members', project),
  ]
  const choose = async (page: typeof first, role: string) => {
    await page.getByRole('button', { name: /Role of Mo Member/ }).click()
    await page.getByRole('option', { name: role }).click()
  }
  await expect(second.getByRole('button', { name: /Role of Mo Member/ })).toBeVisible()
  await choose(first, 'Editor')
  await expect(first.getByText(/Mo Member is now editor/)).toBeVisible()
  await choose(second, 'Admin')
  const refused = second.getByRole('alert')
  await expect(refused).toContainText('Ann First changed this member meanwhile: Mo Member: from viewer to editor')
  await second.getByRole('button', { name: 'Load the newest' }).click()
  await expect(refused).toBeHidden()
  await expect(second.getByRole('button', { name: /Role of Mo Member/ })).toContainText('Editor')
  await choose(second, 'Admin')
  await expect(second.getByText(/Mo Member is now admin/)).toBeVisible()

  for (const page of [first, second]) await page.goto('/settings?tab=project')
  const name = (page: typeof first) => page.getByLabel('Name', { exact: true })
  await name(second).fill('Named by Ben')
  await name(first).fill('Named by Ann')
  await first.getByRole('button', { name: 'Save' }).click()
  await expect(first.getByText('The name is saved.')).toBeVisible()
  await second.getByRole('button', { name: 'Save' }).click()
  await expect(refused).toContainText('Ann First changed this project meanwhile: name Named by Ann')
  await expect(name(second), 'what was typed is kept').toHaveValue('Named by Ben')
  await second.getByRole('button', { name: 'Load the newest' }).click()
  await expect(name(second)).toHaveValue('Named by Ann')
  for (const page of [first, second]) await page.context().close()
})
