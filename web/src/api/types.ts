/**
 * The shapes of the API, and the only place that names them: when the server's OpenAPI document
 * changes, `npm run gen` writes `schema.ts` and this file re-exports it.
 */

export type Health = 'healthy' | 'degraded' | 'down' | 'unknown'
export type Severity = 'low' | 'medium' | 'high' | 'critical'
export type Category =
  | 'auth'
  | 'rate_limit'
  | 'data_validation'
  | 'data_state_mismatch'
  | 'spending_control'
  | 'compliance'
  | 'network'
  | 'provider_outage'
  | 'configuration'
  | 'unknown'
export type EventKind = 'webhook' | 'check' | 'sync' | 'action' | 'credential' | 'health' | 'alert'
export type Role = 'owner' | 'admin' | 'editor' | 'viewer'
export type ProblemState = 'open' | 'acknowledged' | 'resolved' | 'ignored'
/** JSON as it arrives; only the payload tree and manifest settings are this loose. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
/** ISO-8601, UTC, milliseconds. */
export type Instant = string

export interface Page<T> {
  items: T[]
  nextCursor: string | null
}
export interface List<T> {
  items: T[]
}

export interface Project {
  id: string
  slug: string
  name: string
}
export interface Session {
  user: { id: string; email: string; name: string; operator: boolean } | null
  apiKey: { id: string; name: string } | null
  projects: (Project & { role: Role })[]
  csrfToken: string | null
}

/** One hour of outcomes. */
export interface Bucket {
  at: Instant
  ok: number
  failed: number
}

export interface Overview {
  project: Project
  generatedAt: Instant
  health: Record<Health, number>
  events24h: { total: number; failures: number; successRate: number | null; perHour: Bucket[] }
  openProblems: number
  helpful: { yes: number; no: number }
  /** Integration ids, worst first. */
  needsAttention: string[]
  demo: { loaded: boolean }
}

export interface Reason {
  code: string
  message: string
}
export interface ScoreParts {
  freshness: number | null
  success: number | null
  errorRate: number | null
  caps: string[]
  sentence: string
}
export interface Record24h {
  status: Health
  successRate: number | null
  total: number
  errors: number
}

/** The part of an integration that the live stream's `status` message replaces. */
export interface IntegrationStatus {
  id: string
  health: Health
  healthSince: Instant
  reasons: Reason[]
  score: number | null
  status: Health
  record24h: Record24h
  lastEventAt: Instant | null
  openProblems: number
}
export interface Integration extends IntegrationStatus {
  provider: string
  providerName: string
  service: string | null
  name: string
  enabled: boolean
  demo: boolean
  scoreParts: ScoreParts
  sparkline: Bucket[]
  lastSuccessAt: Instant | null
  lastFailureAt: Instant | null
  lastEvents: EventSummary[]
  webhook: { url: string; aliasUrl: string | null; secrets: number; rejected24h: number } | null
  createdAt: Instant
  updatedAt: Instant
  version: number
}
export interface IntegrationDetail extends Integration {
  settings: Record<string, Json>
  problems: Problem[]
}
export interface CreatedIntegration {
  integration: Integration
  webhookUrl: string | null
  webhookSecret: string | null
}

export interface WebhookSecret {
  id: string
  last4: string
  state: 'active' | 'retiring' | 'retired'
  source: 'manual' | 'generated' | 'handshake' | 'environment'
  createdAt: Instant
  expiresAt: Instant | null
  retiredAt: Instant | null
}
export interface CreatedSecret {
  secret: WebhookSecret
  value: string | null
}
export interface Rejection {
  reason: string
  count: number
  firstAt: Instant
  lastAt: Instant
  explanation: string
  hint: string
  detail: Record<string, Json>
}

export interface EventSummary {
  id: string
  seq: number
  kind: EventKind
  /** The provider's key. */
  integration: string
  integrationId: string
  integrationName: string
  eventType: string
  status: 'success' | 'failure' | null
  timestamp: Instant
  receivedAt: Instant
  message: string
  category: Category | null
  severity: Severity | null
  code: string | null
  problemId: string | null
}
export interface EventItem extends EventSummary {
  error: { message: string; code: string | null; context: { operation: string | null; httpStatus: number | null } } | null
  classification: Classification | null
  quarantined: boolean
}
export interface EventDetail extends EventItem {
  payload: Json
  headers: Record<string, string>
  payloadBytes: number
  payloadHash: string
  contentType: string | null
  similar: EventSummary[]
  problem: Problem | null
  feedback: Feedback
}
export interface Feedback {
  helpful: boolean | null
  category: Category | null
  comment: string | null
}
/** What the live stream's `event` message carries. */
export type StreamedEvent = EventSummary & Partial<Pick<EventItem, 'error' | 'classification' | 'quarantined'>>

export interface Classification {
  category: Category
  severity: Severity
  cause: string
  suggestedFix: string
  fixSteps: string[]
  affectedData: string[]
  businessImpact: string
  /** 0 to 1. */
  confidence: number
  transient: boolean
  code: string
  title: string
  documentationUrl: string | null
  source: 'rule' | 'pin' | 'llm'
}

export interface Problem {
  id: string
  integrationId: string
  integrationName: string
  provider: string
  state: ProblemState
  title: string
  message: string
  code: string | null
  operation: string | null
  httpStatus: number | null
  count: number
  firstSeen: Instant
  lastSeen: Instant
  classification: Classification
  owner: { id: string; name: string } | null
  helpful: { yes: number; no: number }
  lastEventId: string | null
  version: number
}

export type FieldKind = 'text' | 'secret' | 'url' | 'number' | 'select' | 'boolean'
export interface ManifestField {
  key: string
  label: string
  hint: string | null
  kind: FieldKind
  required: boolean
  pattern: string | null
  placeholder: string | null
  options: string[]
  default: Json
}
export interface ProviderInfo {
  key: string
  name: string
  icon: string
  color: string
  summary: string
  capabilities: string[]
  docsUrl: string | null
  statusPage: string | null
  /** Markdown. */
  help: string
  fields: ManifestField[]
  webhook: {
    scheme: string
    secretLabel: string
    secretHint: string
    secretGenerated: boolean
    handshake: boolean
  } | null
}

export interface Demo {
  loaded: boolean
  running: boolean
  integrations: number
}
export interface Member {
  id: string
  email: string
  name: string
  role: Role
  createdAt: Instant
}
export interface ApiKey {
  id: string
  name: string
  role: Role
  last4: string
  createdAt: Instant
  expiresAt: Instant | null
  lastUsedAt: Instant | null
  revokedAt: Instant | null
}
export interface CreatedApiKey {
  key: ApiKey
  value: string
}
export interface AuditEntry {
  at: Instant
  actorName: string
  action: string
  target: string | null
  summary: string | null
  result: string
}

export interface ErrorBody {
  error: { code: string; message: string; details?: Json; retryAfter?: number }
}
