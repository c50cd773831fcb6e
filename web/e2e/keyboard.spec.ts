import { expect } from '@playwright/test'
import { pageOf, signIn, tabTo, test } from './people.ts'

test('by the keyboard alone: the account menu, the profile, and the end of another session', async ({ page, browser, owner }) => {
  const person = await owner.add('Kay Board')
  const elsewhere = await pageOf(browser, person, '/profile')
  await page.goto('/')
  await signIn(page, person)
  await expect(page.getByRole('heading', { level: 1, name: 'No project yet' })).toBeVisible()

  await tabTo(page, page.getByRole('button', { name: /^Account:/ }))
  await page.keyboard.press('Enter')
  await expect(page.getByRole('menuitem', { name: 'Your profile' })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: 'Your profile' })).toBeVisible()

  await tabTo(page, page.getByRole('link', { name: 'Sessions' }))
  await page.keyboard.press('Enter')
  await tabTo(page, page.getByRole('button', { name: /^End the session/ }))
  await page.keyboard.press('Enter')
  await expect(page.getByText('That session has ended.')).toBeVisible()
  await expect(page.getByRole('region', { name: 'Sessions' }).getByRole('listitem')).toHaveCount(1)
  await elsewhere.reload()
  await expect(elsewhere).toHaveURL(/\/sign-in/)
  await elsewhere.context().close()
})
