import type { ApiKey, AuditEntry, Invitation, Member, ProfileSession, Profile, ProjectDetail, Role, Session, UserRow } from '@/api/types'
import { scopesOf } from '@/api/words'
import { anApiKey, anAuditEntry, aProject, aUser } from './factories-people'

/** The people of a world: who is signed in, what they may do, and everybody else. */
export class People {
  userId = 'user-1'
  role: Role | null = 'owner'
  operator = true
  /** The last proof of who is there is fresh. */
  proven = true
  /** Signing in and proving ask for an authenticator code. */
  wantsCode = false
  hasPassword = true
  identityProvider: string | null = null
  /** Counts what asked for a proof, for the tests. */
  asked = 0
  members: Member[]
  invitations: Invitation[]
  keys: ApiKey[]
  users: UserRow[]
  projects: ProjectDetail[]
  sessions: ProfileSession[]
  audit: AuditEntry[]
  totp: Profile['totp'] = { enabled: false, since: null, recoveryCodesLeft: 0 }
  profileVersion = 1
  extraProjects: Session['projects'] = []
  /** What is wrong with the audit log, if anything. */
  auditProblem: { seq: number; kind: 'missing' | 'edited' | 'truncated'; message: string } | null = null

  constructor(readonly now: () => number) {
    this.users = [
      aUser({ lastSeenAt: this.at(0), totp: false, createdAt: this.at(900) }),
      aUser({ id: 'user-2', email: 'theo@example.com', name: 'Theo Lindqvist', operator: false, totp: true, createdAt: this.at(400), lastSeenAt: this.at(26) }),
      aUser({ id: 'user-3', email: 'ines@example.com', name: 'Inês Duarte', operator: false, hasPassword: false, createdAt: this.at(20), lastSeenAt: null }),
      aUser({ id: 'user-4', email: 'former@example.com', name: 'Paul Former', operator: false, disabledAt: this.at(90), createdAt: this.at(2000), lastSeenAt: this.at(100) }),
    ]
    this.members = [
      this.member('user-1', 'owner', 900),
      this.member('user-2', 'editor', 400),
      this.member('user-3', 'viewer', 20),
    ]
    this.invitations = [
      { id: 'invitation-1', role: 'editor', email: 'site-office@example.com', createdBy: 'Mara Novak', createdAt: this.at(20), expiresAt: this.at(-148) },
      { id: 'invitation-2', role: 'viewer', email: null, createdBy: 'Mara Novak', createdAt: this.at(2), expiresAt: this.at(-22) },
    ]
    this.keys = [
      anApiKey({ createdAt: this.at(300), lastUsedAt: this.at(9) }),
      anApiKey({ id: 'key-2', name: 'Pager bridge', role: 'editor', scopes: ['read', 'triage'], last4: '55e0', createdAt: this.at(2000), expiresAt: this.at(-60), lastUsedAt: this.at(0.2) }),
      anApiKey({ id: 'key-3', name: 'Old importer', role: 'admin', scopes: scopesOf('admin'), last4: '09bb', createdAt: this.at(4000), createdBy: 'Theo Lindqvist', expiresAt: this.at(30) }),
    ]
    this.projects = [
      aProject({ createdAt: this.at(900) }),
      aProject({ id: 'project-2', slug: 'west-coast', name: 'West Coast', role: null, members: 2, integrations: 1, createdAt: this.at(300) }),
    ]
    const agent = (browser: string, system: string) => `Mozilla/5.0 (${system}) ${browser}`
    this.sessions = [
      { id: 'session-1', current: true, createdAt: this.at(3), lastSeenAt: this.at(0), expiresAt: this.at(-300), source: '192.0.2.14', userAgent: agent('Firefox/152.0', 'X11; Linux x86_64'), method: 'password' },
      { id: 'session-2', current: false, createdAt: this.at(200), lastSeenAt: this.at(30), expiresAt: this.at(-100), source: '198.51.100.7', userAgent: agent('AppleWebKit/605.1 Version/26.0 Safari/604.1', 'iPhone; CPU iPhone OS 26_0 like Mac OS X'), method: 'identity_provider' },
      { id: 'session-3', current: false, createdAt: this.at(400), lastSeenAt: this.at(390), expiresAt: this.at(-10), source: null, userAgent: null, method: 'link' },
    ]
    this.audit = this.#auditRows()
  }

  at(hoursAgo: number): string {
    return new Date(this.now() - hoursAgo * 3_600_000).toISOString()
  }

  member(userId: string, role: Role, hours: number): Member {
    const user = this.users.find((item) => item.id === userId)
    return { userId, name: user?.name ?? '', email: user?.email ?? '', role, createdAt: this.at(hours), version: 1, operator: user?.operator ?? false }
  }

  session(signedIn: boolean): Session {
    const user = this.users.find((item) => item.id === this.userId)
    const [project] = this.projects
    if (!signedIn || !user) return { user: null, apiKey: null, projects: [], csrfToken: null, sudoUntil: null, sudo: null }
    const own: Session['projects'] =
      this.role && project ? [{ id: project.id, slug: project.slug, name: project.name, role: this.role, flags: project.flags }] : []
    return {
      user: { id: user.id, email: user.email, name: user.name, operator: this.operator },
      apiKey: null,
      projects: [...own, ...this.extraProjects],
      csrfToken: 'csrf-for-tests',
      sudoUntil: this.proven ? this.at(-0.25) : null,
      sudo: this.methods(),
    }
  }

  methods() {
    return { password: this.hasPassword, code: this.wantsCode || this.totp.enabled, identityProvider: this.identityProvider !== null }
  }

  profile(): Profile {
    const user = this.users.find((item) => item.id === this.userId)
    return {
      user: { id: this.userId, email: user?.email ?? '', name: user?.name ?? '', operator: this.operator },
      hasPassword: this.hasPassword,
      totp: this.totp,
      identities: this.identityProvider ? [{ issuer: 'https://id.example.com', email: 'mara@example.com', createdAt: this.at(500) }] : [],
      version: this.profileVersion,
    }
  }

  #auditRows(): AuditEntry[] {
    const rows: Partial<AuditEntry>[] = [
      { action: 'problem.triaged', target: 'problem-4', summary: 'Procore asks us to slow down', at: this.at(1) },
      { action: 'member.role_changed', target: 'user-2', summary: 'Theo Lindqvist: viewer to editor', at: this.at(5) },
      { action: 'webhook_secret.added', target: 'integration-4', summary: 'Field cards, secret ending 9f2c', at: this.at(30) },
      { action: 'integration.disconnect', target: 'integration-9', summary: 'Old payroll', at: this.at(31), actorId: 'user-2', actorName: 'Theo Lindqvist', result: 'denied' },
      { action: 'problem.triage', target: '', summary: 'Nightly export', at: this.at(40), actorKind: 'api_key', actorId: 'key-1', actorName: 'Nightly export', result: 'failed' },
      { action: 'session.began', target: 'user-1', summary: 'by password', at: this.at(70), projectId: null, projectName: null },
    ]
    const many = Array.from({ length: 60 }, (_, index) => ({ action: 'problem.triaged', summary: `Problem ${60 - index}`, at: this.at(80 + index * 5) }))
    const all = [...rows, ...many]
    return all.map((row, index) => anAuditEntry({ ...row, seq: all.length - index }))
  }
}
