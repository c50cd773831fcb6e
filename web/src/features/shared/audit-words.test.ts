import { expect, test } from 'vitest'
import { entryWords } from './audit-words'

test.each([
  ['member.manage', 'denied', 'Tried to manage members'],
  ['account.manage', 'failed', 'Tried to change their own account'],
  ['integration.disconnect', 'denied', 'Tried to delete an integration'],
  ['member.removed', 'ok', 'Removed a member'],
  ['session.proven', 'failed', 'Tried to confirm who they are'],
] as const)('%s, %s reads "%s"', (action, result, words) => {
  expect(entryWords(action, result)).toBe(words)
})
