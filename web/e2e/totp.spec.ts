import { createHmac } from 'node:crypto'
import { expect, type Page } from '@playwright/test'
import { signIn, signOut, test, type Person } from './people.ts'

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const STEP_S = 30
const stepNow = () => Math.floor(Date.now() / 1000 / STEP_S)

/** What an authenticator app shows in a time step (RFC 6238). */
function codeOf(secret: string, step: number): string {
  const bits = [...secret].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const hash = createHmac('sha1', key).update(counter).digest()
  const number = hash.readUInt32BE((hash.at(-1) ?? 0) & 15) & 0x7f_ff_ff_ff
  return String(number % 1_000_000).padStart(6, '0')
}

async function enterCode(page: Page, code: string) {
  await page.getByLabel('Authenticator code').fill(code)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

async function enterRecoveryCode(page: Page, person: Person, code: string) {
  await signIn(page, person)
  await page.getByRole('button', { name: 'Use a recovery code instead' }).click()
  await page.getByLabel('Recovery code').fill(code)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

test('an authenticator is set up, asked for, replaced by recovery codes, and switched off', async ({ page, owner }) => {
  const person = await owner.add('Tora Tan')
  await page.goto('/profile?tab=security')
  await signIn(page, person)

  await page.getByRole('button', { name: 'Set up' }).click()
  const dialog = page.getByRole('dialog', { name: 'Set up the authenticator' })
  await expect(dialog.getByRole('img', { name: /QR code/ })).toBeVisible()
  const secret = await dialog.locator('code').innerText()
  await dialog.getByLabel('Authenticator code').fill('000000')
  await dialog.getByRole('button', { name: 'Switch on' }).click()
  await expect(dialog.getByRole('alert')).toContainText('code')
  const step = stepNow()
  await dialog.getByLabel('Authenticator code').fill(codeOf(secret, step))
  await dialog.getByRole('button', { name: 'Switch on' }).click()
  const kept = page.getByRole('dialog', { name: 'Keep your recovery codes' })
  await expect(kept.getByRole('listitem')).toHaveCount(10)
  const codes = await kept.getByRole('listitem').allInnerTexts()
  expect(codes).toHaveLength(10)
  await kept.getByRole('button', { name: 'I have kept them' }).click()
  await expect(page.getByText('10 recovery codes left')).toBeVisible()

  // The code of this step is used up; clocks may differ by a step, so the next one is good already.
  await signOut(page)
  await signIn(page, person)
  await enterCode(page, codeOf(secret, step))
  await expect(page.getByRole('alert')).toContainText('was used already')
  const next = codeOf(secret, step + 1)
  await enterCode(page, next)
  await expect(page.getByRole('button', { name: /^Account: Tora Tan/ })).toBeVisible()

  await signOut(page)
  await signIn(page, person)
  await enterCode(page, next)
  await expect(page.getByRole('alert'), 'the same code again').toBeVisible()
  await page.getByRole('button', { name: 'Back' }).click()

  const [first = '', second = ''] = codes
  await enterRecoveryCode(page, person, first)
  await expect(page.getByRole('button', { name: /^Account: Tora Tan/ })).toBeVisible()
  await signOut(page)
  await enterRecoveryCode(page, person, first)
  await expect(page.getByRole('alert'), 'the same recovery code again').toBeVisible()
  await page.getByLabel('Recovery code').fill(second)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page.getByRole('button', { name: /^Account: Tora Tan/ })).toBeVisible()

  await page.goto('/profile?tab=security')
  await expect(page.getByText('8 recovery codes left')).toBeVisible()
  await page.getByRole('button', { name: 'Switch off' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Switch off' }).click()
  await expect(page.getByRole('button', { name: 'Set up' })).toBeVisible()
  await signOut(page)
  await signIn(page, person)
  await expect(page.getByRole('button', { name: /^Account: Tora Tan/ })).toBeVisible()
})
