import type { AuditScope } from '@/api/filters'
import type { AuditResult } from '@/api/types'

/** What was done, as people say it; the dotted name stands beside it for search. */
const ACTION_WORDS: Record<string, string> = {
  'account.manage': 'Change their own account',
  'account.password_changed': 'Changed their password',
  'account.password_reset': 'Set a password by link',
  'account.recovery_code_used': 'Used a recovery code',
  'account.recovery_codes_replaced': 'Made new recovery codes',
  'account.renamed': 'Changed their name',
  'account.totp_begun': 'Began to set up an authenticator',
  'account.totp_disabled': 'Switched their authenticator off',
  'account.totp_enabled': 'Switched an authenticator on',
  'api_key.created': 'Made an API key',
  'api_key.manage': 'Manage API keys',
  'api_key.revoked': 'Revoked an API key',
  'audit_log.restarted': 'Began the audit log anew',
  'demo.manage': 'Load or remove the demo',
  'demo.removed': 'Removed the demo',
  'events.replay': 'Run stored failures again',
  'events.replayed': 'Ran stored failures again',
  'feedback.give': 'Mark an explanation',
  'feedback.given': 'Marked an explanation',
  'identity.linked': 'Linked an account elsewhere',
  'integration.check': 'Have an integration checked',
  'integration.checked': 'Had an integration checked',
  'integration.configure': 'Change an integration',
  'integration.connect': 'Add an integration',
  'integration.created': 'Added an integration',
  'integration.deleted': 'Deleted an integration',
  'integration.disconnect': 'Delete an integration',
  'integration.updated': 'Changed an integration',
  'invitation.accepted': 'Joined by invitation',
  'invitation.created': 'Invited somebody',
  'invitation.withdrawn': 'Revoked an invitation',
  'master_key.rotated': 'Replaced the master key',
  'member.left': 'Left the project',
  'member.manage': 'Manage members',
  'member.removed': 'Removed a member',
  'member.role_changed': 'Changed a role',
  'member.set': 'Made somebody a member',
  'one_time_link.created': 'Made a one-time link',
  'problem.triage': 'Triage a problem',
  'problem.triaged': 'Triaged a problem',
  'project.configure': 'Change the project',
  'project.create': 'Make a project',
  'project.created': 'Made the project',
  'project.delete': 'Delete the project',
  'project.deleted': 'Deleted the project',
  'project.transfer': 'Hand the project over',
  'project.transferred': 'Handed the project over',
  'project.updated': 'Changed the project',
  'session.began': 'Signed in',
  'session.ended': 'Ended a session',
  'session.proven': 'Confirmed who they are',
  'user.created': 'Added a person',
  'user.first_owner': 'Became the first owner',
  'user.manage': 'Manage people',
  'user.password_set': 'Set somebody’s password',
  'user.signed_out': 'Signed somebody out everywhere',
  'user.totp_removed': 'Removed somebody’s authenticator',
  'user.updated': 'Changed a person',
  'webhook_alias.bound': 'Gave out a short webhook address',
  'webhook_alias.freed': 'Took a short webhook address back',
  'webhook_secret.added': 'Added a webhook secret',
  'webhook_secret.expired': 'Old webhook secrets ended',
  'webhook_secret.manage': 'Manage webhook secrets',
  'webhook_secret.retired': 'Retired a webhook secret',
}

const spaced = (dotted: string) => dotted.replaceAll('_', ' ').replace('.', ': ')

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

export function actionWords(action: string): string {
  return capital(ACTION_WORDS[action] ?? spaced(action))
}

/** The names of what is asked for, not of what was done: refusals carry these. */
const ASKED = /\.(?:manage|configure|connect|disconnect|create|delete|transfer|triage|give|replay|prove|check|reconnect|use|view)$/

const FAILED_WORDS: Record<string, string> = {
  'session.began': 'Tried to sign in',
  'session.proven': 'Tried to confirm who they are',
}

/** A row as a sentence: what was done, or what somebody tried to do. */
export function entryWords(action: string, result: AuditResult): string {
  const words = actionWords(action)
  if (result !== 'ok' && FAILED_WORDS[action]) return FAILED_WORDS[action]
  if (result === 'ok' || !ASKED.test(action)) return words
  return `Tried to ${words.charAt(0).toLowerCase()}${words.slice(1)}`
}

const ANYTHING = { id: 'any', label: 'Any action' }
const IN_PROJECT = [
  { id: 'member.', label: 'Members' },
  { id: 'invitation.', label: 'Invitations' },
  { id: 'api_key.', label: 'API keys' },
  { id: 'project.', label: 'The project' },
  { id: 'integration.', label: 'Integrations' },
  { id: 'webhook_secret.', label: 'Webhook secrets' },
  { id: 'problem.', label: 'Problems' },
  { id: 'feedback.', label: 'Explanations' },
]
const IN_INSTALLATION = [
  { id: 'session.', label: 'Signing in and out' },
  { id: 'account.', label: 'Own accounts' },
  { id: 'user.', label: 'People' },
  ...IN_PROJECT.map((option) => (option.id === 'project.' ? { ...option, label: 'Projects' } : option)),
  { id: 'master_key.', label: 'The master key' },
]

/** The kinds of action to choose from; an address may ask for one that the list does not have. */
export function actionOptions(scope: AuditScope, chosen: string | undefined) {
  const options = [ANYTHING, ...(scope === 'installation' ? IN_INSTALLATION : IN_PROJECT)]
  const known = chosen === undefined || options.some(({ id }) => id === chosen)
  return known ? options : [...options, { id: chosen, label: actionWords(chosen) }]
}
