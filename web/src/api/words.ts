import type { Category, Health, ProblemState, Severity } from './types'

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
