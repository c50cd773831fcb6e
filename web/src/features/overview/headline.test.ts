import { expect, test } from 'vitest'
import { anIntegration } from '@/test/factories'
import { headline } from './headline'

const troubled = (name: string, message: string) => anIntegration({ name, reasons: [{ code: 'x', message }] })

test('a quiet sentence when all is well', () => {
  expect(headline(14, [])).toEqual(['All 14 integrations are well', 'Nothing needs you.'])
})

test('how many need you, and what the worst two say', () => {
  const [title, lead] = headline(14, [
    troubled('Payroll', 'Refresh token was revoked.'),
    troubled('Ledger', 'GL entries are refused'),
    troubled('Cards', 'Silent for 3 h'),
  ])
  expect(title).toBe('3 of 14 integrations need you')
  expect(lead).toBe('Payroll: refresh token was revoked; Ledger: GL entries are refused; and 1 more.')
})

test('one is one', () => {
  expect(headline(1, [troubled('Payroll', 'Down')])[0]).toBe('1 of 1 integration needs you')
})
