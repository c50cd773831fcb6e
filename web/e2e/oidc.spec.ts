import { expect, type Page } from '@playwright/test'
import { ageProof, test, type Person } from './people.ts'

const toTheProvider = (page: Page) => page.getByRole('link', { name: 'Sign in with Example ID' }).click()

/** Signs in at the identity provider's own page and agrees to what is asked for. */
async function atTheProvider(page: Page, login: string) {
  await page.getByPlaceholder('Enter any login').fill(login)
  await page.getByPlaceholder('and password').fill('any')
  await page.getByRole('button', { name: 'Sign-in' }).click()
  await page.getByRole('button', { name: 'Continue' }).click()
}

/** The provider calls somebody by the first part of their address. */
const loginOf = (person: Person) => person.email.split('@')[0] ?? ''

async function session(page: Page) {
  const answer = await page.request.get('/api/session')
  return (await answer.json()) as { user: { email: string } | null }
}

test('an invited person signs in with the identity provider and lands on the page asked for', async ({ page, owner, baseURL }) => {
  const person = await owner.add('Mia Invited', { operator: true, withPassword: false })
  await page.goto('/events?q=payroll')
  await toTheProvider(page)
  expect(new URL(page.url()).origin, 'at the provider').not.toBe(baseURL)
  await atTheProvider(page, loginOf(person))
  await expect(page).toHaveURL(/\/events\?q=payroll$/)
  await expect(page.getByRole('heading', { level: 1, name: 'Events' })).toBeVisible()
  await expect(page.getByRole('button', { name: `Account: Mia Invited, ${person.email}` })).toBeVisible()
  const cookies = await page.context().cookies()
  expect(cookies.find(({ name }) => name === 'lk_session')).toMatchObject({ httpOnly: true, sameSite: 'Lax' })
  expect(cookies.map(({ name }) => name)).not.toContain('lk_oidc')
})

test('proving again asks for the password at the provider, and is believed', async ({ page, owner }) => {
  const login = loginOf(await owner.add('Mia Again', { operator: true, withPassword: false }))
  await page.goto('/sign-in')
  await toTheProvider(page)
  await atTheProvider(page, login)
  await expect(page).toHaveURL(/\/$/)
  await page.goto('/api/oidc/start?purpose=sudo&next=/problems')
  await page.getByPlaceholder('Enter any login').fill(login)
  await page.getByPlaceholder('and password').fill('any')
  await page.getByRole('button', { name: 'Sign-in' }).click()
  await expect(page).toHaveURL(/\/problems$/)
  await page.goto('/api/oidc/start?purpose=sudo&next=/problems')
  await page.getByPlaceholder('Enter any login').fill('somebody-else')
  await page.getByPlaceholder('and password').fill('any')
  await page.getByRole('button', { name: 'Sign-in' }).click()
  await page.getByRole('button', { name: 'Continue' }).click()
  await expect(page).toHaveURL(/\/problems\?failed=oidc_unknown_person$/)
})

test('somebody without a password confirms who they are at the provider, and finds the page they were on', async ({ page, owner }) => {
  const person = await owner.add('Nora Keyless', { operator: true, withPassword: false })
  const login = loginOf(person)
  await page.goto('/admin')
  await toTheProvider(page)
  await atTheProvider(page, login)
  await expect(page.getByRole('button', { name: /^Account: Nora Keyless/ })).toBeVisible()
  ageProof(person)
  await page.getByRole('link', { name: 'People' }).click()
  const question = page.getByRole('dialog', { name: 'Confirm it is you' })
  await expect(question.getByRole('link', { name: 'Continue with Example ID' })).toBeVisible()
  await expect(question.getByLabel('Password')).toHaveCount(0)
  await question.getByRole('link', { name: 'Continue with Example ID' }).click()
  await page.getByPlaceholder('Enter any login').fill(login)
  await page.getByPlaceholder('and password').fill('any')
  await page.getByRole('button', { name: 'Sign-in' }).click()
  await expect(page).toHaveURL(/\/admin\?tab=people$/)
  await expect(page.getByText(person.email)).toBeVisible()
  await expect(question).toHaveCount(0)
})

for (const [login, code, sentence] of [
  ['stranger', 'oidc_unknown_person', /No account here belongs to that sign-in/],
  ['unverified-mia', 'oidc_unverified_email', /has not verified your e-mail address/],
] as const) {
  test(`${login} is refused with a sentence`, async ({ page }) => {
    await page.goto('/settings')
    await toTheProvider(page)
    await atTheProvider(page, login)
    await expect(page).toHaveURL(new RegExp(`/sign-in\\?.*failed=${code}`))
    await expect(page.getByText(sentence)).toBeVisible()
    expect((await session(page)).user).toBeNull()
  })
}

test('somebody who turns back at the provider is told so', async ({ page }) => {
  await page.goto('/settings')
  await toTheProvider(page)
  await page.getByRole('link', { name: 'Cancel' }).click()
  await expect(page).toHaveURL(/\/sign-in\?.*failed=oidc_refused/)
  expect((await session(page)).user).toBeNull()
})
