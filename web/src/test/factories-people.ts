import type { ApiKey, AuditEntry, ProjectDetail, UserRow } from '@/api/types'
import { ago, HOUR } from './factories'

export const aUser = (more: Partial<UserRow> = {}): UserRow => ({
  id: 'user-1',
  email: 'mara@example.com',
  name: 'Mara Novak',
  operator: true,
  createdAt: ago(900 * HOUR),
  disabledAt: null,
  lastSeenAt: ago(HOUR),
  totp: false,
  hasPassword: true,
  projects: 1,
  version: 1,
  ...more,
})

export const anApiKey = (more: Partial<ApiKey> = {}): ApiKey => ({
  id: 'key-1',
  name: 'Nightly export',
  role: 'viewer',
  scopes: ['read'],
  last4: '7c1d',
  createdAt: ago(300 * HOUR),
  createdBy: 'Mara Novak',
  expiresAt: null,
  lastUsedAt: null,
  revokedAt: null,
  projectId: 'project-1',
  projectName: 'Acme Builders',
  ...more,
})

export const aProject = (more: Partial<ProjectDetail> = {}): ProjectDetail => ({
  id: 'project-1',
  slug: 'acme',
  name: 'Acme Builders',
  role: 'owner',
  members: 3,
  integrations: 5,
  createdAt: ago(900 * HOUR),
  flags: { healthUi: true, statusApi: true, shadow: false },
  version: 1,
  loses: { integrations: 5, openProblems: 4, members: 3, apiKeys: 2, webhookSecrets: 6 },
  ...more,
})

export const anAuditEntry = (more: Partial<AuditEntry> = {}): AuditEntry => ({
  seq: 1,
  at: ago(HOUR),
  actorKind: 'user',
  actorId: 'user-1',
  actorName: 'Mara Novak',
  projectId: 'project-1',
  projectName: 'Acme Builders',
  action: 'problem.resolve',
  target: 'problem-1',
  summary: 'The token was revoked',
  result: 'ok',
  source: '192.0.2.14',
  ...more,
})
