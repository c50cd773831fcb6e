import type { AuditResult, Category, Health, ProblemState, Role, Scope, Severity } from './types'

/** The words people read for the API's enumerations, in the order a menu lists them. */
export const CATEGORY_WORDS: Record<Category, string> = {
  auth: 'Authentication',
  rate_limit: 'Rate limit',
  data_validation: 'Data validation',
  data_state_mismatch: 'State mismatch',
  spending_control: 'Spending control',
  compliance: 'Compliance',
  network: 'Network',
  provider_outage: 'Provider outage',
  configuration: 'Configuration',
  unknown: 'Unclassified',
}
export const CATEGORIES = Object.keys(CATEGORY_WORDS) as Category[]

export const SEVERITY_WORDS: Record<Severity, string> = {
  critical: 'Critical',
  high: 'High',
  medium: 'Medium',
  low: 'Low',
}
export const SEVERITIES = Object.keys(SEVERITY_WORDS) as Severity[]
export const severityRank = (severity: Severity): number => SEVERITIES.indexOf(severity)

export const HEALTH_WORDS: Record<Health, string> = {
  healthy: 'Healthy',
  degraded: 'Degraded',
  down: 'Down',
  unknown: 'Unknown',
}
/** Worst first; `unknown` asks for a look before `healthy` does. */
export const HEALTH_ORDER: Health[] = ['down', 'degraded', 'unknown', 'healthy']

export const STATE_WORDS: Record<ProblemState, string> = {
  open: 'Open',
  acknowledged: 'Acknowledged',
  resolved: 'Resolved',
  ignored: 'Ignored',
}
export const STATES = Object.keys(STATE_WORDS) as ProblemState[]

/** From the least to the most that may be done. */
export const ROLE_WORDS: Record<Role, string> = { viewer: 'Viewer', editor: 'Editor', admin: 'Admin', owner: 'Owner' }
export const ROLES = Object.keys(ROLE_WORDS) as Role[]
export const ROLE_MEANS: Record<Role, string> = {
  viewer: 'reads everything in the project',
  editor: 'reads everything, triages problems and corrects explanations',
  admin: 'triages, and changes integrations, members, keys and the project',
  owner: 'may do everything, and can delete the project or hand it over',
}

export const SCOPE_WORDS: Record<Scope, string> = {
  read: 'Read',
  triage: 'Triage',
  integrations: 'Integrations',
  admin: 'Administration',
}
export const SCOPES = Object.keys(SCOPE_WORDS) as Scope[]
export const SCOPE_MEANS: Record<Scope, string> = {
  read: 'See integrations, events and problems.',
  triage: 'Acknowledge, resolve and assign problems; mark explanations.',
  integrations: 'Add, change and delete integrations and their webhook secrets.',
  admin: 'Members, API keys, the audit log and the project itself.',
}
const LEAST_ROLE: Record<Scope, Role> = { read: 'viewer', triage: 'editor', integrations: 'admin', admin: 'admin' }
export const scopesOf = (role: Role): Scope[] => SCOPES.filter((scope) => ROLES.indexOf(role) >= ROLES.indexOf(LEAST_ROLE[scope]))

export const RESULT_WORDS: Record<AuditResult, string> = { ok: 'Done', denied: 'Denied', failed: 'Failed' }
export const RESULTS = Object.keys(RESULT_WORDS) as AuditResult[]

/** The rungs of a check in the order they are climbed, as people call them. */
export const RUNG_WORDS: Record<string, string> = {
  dns: 'Name (DNS)',
  tcp: 'Connection (TCP)',
  tls: 'Encryption (TLS)',
  http: 'Answer (HTTP)',
  credential: 'Credential',
  scopes: 'Scopes',
  capability: 'Capability',
  quota: 'Quota',
}
export const RUNGS = Object.keys(RUNG_WORDS)

export const CREDENTIAL_KIND_WORDS: Record<string, string> = {
  api_key: 'API key',
  basic: 'Name and password',
  oauth2: 'OAuth 2 connection',
  client_credentials: 'OAuth 2 client',
  service_account: 'Service account',
  app_installation: 'App installation',
  none: 'None needed',
}

/** Where a credential stands, as a shape and in words. */
export const CREDENTIAL_STATE_WORDS: Record<string, [shape: Health, words: string]> = {
  active: ['healthy', 'Accepted'],
  expiring: ['degraded', 'Expires soon'],
  needs_reauth: ['down', 'Must be connected again'],
  misconfigured: ['down', 'Refused: our client or key is wrong'],
  revoked: ['down', 'Revoked at the provider'],
  pending: ['unknown', 'Not connected yet'],
}
