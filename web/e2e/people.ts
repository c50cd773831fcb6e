import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { test as base, expect, type APIRequestContext, type Browser, type Locator, type Page } from '@playwright/test'
import { BASE_URL, DATABASE, SESSION_FILE } from './environment.ts'

const password = process.env['LK_PASSWORD'] ?? ''
const NOBODY = { cookies: [], origins: [] }

export interface Person {
  id: string
  name: string
  email: string
  password: string
}

/** The owner of the installation, over the API: makes what a test begins with. */
export class Owner {
  constructor(readonly request: APIRequestContext) {}

  /** One call as the owner, who has just proven to be there. */
  async call<T>(method: 'post' | 'patch' | 'delete', path: string, data?: object): Promise<T> {
    const session = (await (await this.request.get('/api/session')).json()) as { csrfToken: string; sudoUntil: string | null }
    const headers = { 'x-csrf-token': session.csrfToken }
    if (!session.sudoUntil) expect((await this.request.post('/api/session/sudo', { headers, data: { password } })).ok()).toBe(true)
    const answer = await this.request[method](path, { headers, ...(data && { data }) })
    expect(answer.ok(), `${method} ${path}: ${await answer.text()}`).toBe(true)
    return (answer.status() === 204 ? undefined : await answer.json()) as T
  }

  /** Somebody with an account and, unless said otherwise, a password. */
  async add(name: string, { operator = false, withPassword = true } = {}): Promise<Person> {
    const email = `${name.toLowerCase().replaceAll(' ', '.')}.${Date.now()}@example.com`
    const made = await this.call<{ user: { id: string }; link: string }>('post', '/api/users', { name, email, operator })
    const person = { id: made.user.id, name, email, password: randomBytes(9).toString('hex') }
    const token = new URL(made.link).searchParams.get('token')
    if (withPassword) await this.call('post', '/api/password-reset', { token, password: person.password })
    return person
  }

  /** Makes a project, and a member of it by an invitation. */
  async projectWith(name: string, member: Person, role: string, browser: Browser): Promise<string> {
    const slug = `p-${Date.now()}`
    const { id } = await this.call<{ id: string }>('post', '/api/projects', { name, slug })
    const { link } = await this.call<{ link: string }>('post', '/api/invitations', { projectId: id, role })
    const context = await browser.newContext({ baseURL: BASE_URL, storageState: NOBODY })
    const page = await context.newPage()
    await page.goto(link)
    await page.getByRole('link', { name: 'I have an account: sign in' }).click()
    await signIn(page, member)
    await page.getByRole('button', { name: `Join as ${member.name}` }).click()
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await context.close()
    return id
  }
}

/** `owner` acts over the API; `page` belongs to somebody who is not signed in. */
export const test = base.extend<{ owner: Owner }>({
  storageState: NOBODY,
  owner: async ({ playwright }, provide) => {
    const request = await playwright.request.newContext({ baseURL: BASE_URL, storageState: SESSION_FILE })
    await provide(new Owner(request))
    await request.dispose()
  },
})

/** Fills the sign-in page that is on screen. */
export async function signIn(page: Page, person: Pick<Person, 'email' | 'password'>) {
  await page.getByLabel('Email').fill(person.email)
  await page.getByLabel('Password').fill(person.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

/** A page of its own for somebody, signed in and at an address, on a project of theirs. */
export async function pageOf(browser: Browser, person: Person, path: string, projectId?: string): Promise<Page> {
  const context = await browser.newContext({ baseURL: BASE_URL, storageState: NOBODY })
  const page = await context.newPage()
  if (projectId) await page.addInitScript((id) => localStorage.setItem('lk.project', id), projectId)
  await page.goto(path)
  await signIn(page, person)
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  return page
}

export async function signOut(page: Page) {
  await page.getByRole('button', { name: /^Account:/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
}

const AGED = `
import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=10) as database:
    changed = database.execute("UPDATE sessions SET proved_at = proved_at - 3600000 WHERE user_id = ?", [sys.argv[2]])
sys.exit(0 if changed.rowcount else "nobody is signed in")
`
/** Sets back when somebody last proved who they are: there is no waiting for a quarter of an hour in a test. */
export function ageProof(person: Pick<Person, 'id'>) {
  expect(DATABASE, 'LK_DATABASE says where the database is').toBeDefined()
  execFileSync('python3', ['-c', AGED, DATABASE ?? '', person.id])
}

/** Presses Tab until an element has the focus, and sees that the focus shows. */
export async function tabTo(page: Page, target: Locator) {
  for (let presses = 0; presses < 80; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) {
      const outline = await target.evaluate((element) => getComputedStyle(element).outlineStyle)
      expect(outline, 'the focus shows').not.toBe('none')
      return
    }
    await page.keyboard.press('Tab')
  }
  throw new Error('Tab does not reach it')
}
