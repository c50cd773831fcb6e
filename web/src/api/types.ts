/**
 * The shapes of the API under the names the UI uses. They come from `schema.ts`, which `npm run gen` writes
 * from the server's OpenAPI document; only what JSON Schema leaves open is narrowed here.
 */
import type { components } from './schema'

type Schemas = components['schemas']

/** JSON as it arrives; only payloads, settings and details are this loose. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

export type Health = Schemas['Health']
export type Severity = Schemas['Severity']
export type Category = Schemas['Category']
export type EventKind = Schemas['EventKind']
export type Role = Schemas['Role']
export type ProblemState = Schemas['ProblemState']

export interface Page<T> {
  items: T[]
  nextCursor: string | null
}
export interface List<T> {
  items: T[]
}

export type Session = Schemas['Session']
export type Project = Schemas['ProjectRef']
export type Overview = Schemas['Overview']
export type Bucket = Schemas['Bar']
export type Demo = Schemas['Demo']

export type ScoreParts = Schemas['ScoreParts']
/** The part of an integration that the live stream's `status` message replaces. */
export type IntegrationStatus = Schemas['IntegrationStatus']
export type Integration = Schemas['Integration']
export type IntegrationDetail = Integration & { settings: Record<string, Json>; problems: Problem[] }
export type CreatedIntegration = Schemas['CreatedIntegration']

export type WebhookSecret = Omit<Schemas['WebhookSecret'], 'state' | 'source'> & {
  state: 'active' | 'retiring' | 'retired'
  source: 'manual' | 'generated' | 'handshake' | 'environment'
}
export type CreatedSecret = Omit<Schemas['CreatedWebhookSecret'], 'secret'> & { secret: WebhookSecret }
export type Rejection = Omit<Schemas['Rejection'], 'detail'> & { detail: Record<string, Json> }

export type EventSummary = Schemas['EventSummary']
export type EventItem = Schemas['Event']
export type EventDetail = Omit<Schemas['EventDetail'], 'payload'> & { payload: Json }
export type Feedback = Schemas['Feedback']
/** What the live stream's `event` message carries. */
export type StreamedEvent = EventSummary & Partial<Schemas['StreamEvent']>
export type Classification = Schemas['Classification']
export type Problem = Schemas['Problem']

export type ManifestField = Schemas['ProviderField']
export type ProviderInfo = Schemas['ProviderInfo']

export type SudoMethods = Schemas['SudoMethods']
export type Profile = Schemas['Profile']
export type ProfileSession = Schemas['ProfileSession']
export type TotpSetup = Schemas['TotpSetup']
export type InvitationPreview = Schemas['InvitationPreview']

export type Member = Schemas['Member']
export type Invitation = Schemas['Invitation']
export type Scope = Schemas['Scope']
export type ApiKey = Schemas['ApiKey']
export type CreatedApiKey = Schemas['CreatedKey']
export type ProjectFlags = Schemas['ProjectFlags']
export type ProjectRow = Schemas['ProjectRow']
export type ProjectDetail = Schemas['ProjectDetail']
export type UserRow = Schemas['UserRow']
export type AuditResult = 'ok' | 'denied' | 'failed'
export type AuditEntry = Omit<Schemas['AuditEntry'], 'result'> & { result: AuditResult }
export type AuditCheck = Schemas['AuditCheck']
export type ErrorBody = Schemas['Error']

/** What stands of a past check, or an hour or month of them. */
export type AdminHealth = Schemas['AdminHealth']
export type AuthChoice = Schemas['ProviderAuth']
export type Failing = Schemas['RankedIntegration']
export type HealthBucket = Schemas['HealthBucket']
export type HealthCredential = Schemas['HealthCredential']
export type HealthEntry = Schemas['HealthEntry']
export type HealthNow = Schemas['HealthNow']
export type IntegrationHealth = Schemas['IntegrationHealth']
export type LadderStep = Schemas['LadderStep']
export type ProviderIncident = Schemas['Incident']
export type ProviderRates = Schemas['ProviderHealth']
export type Quota = Schemas['HealthQuota']
export type QuotaPoint = Schemas['QuotaPoint']
export type Slow = Schemas['RankedIntegration']
export type Uptime = Schemas['Uptime']
export type UptimeBar = Schemas['UptimeBar']
