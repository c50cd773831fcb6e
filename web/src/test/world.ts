import type { EventDetail, IntegrationDetail, IntegrationHealth, Problem, Rejection, WebhookSecret } from '@/api/types'
import { ago, anEvent, anIntegration, aProblem, buckets, HOUR, MINUTE } from './factories'
import { FAILURES, type Failure } from './fixtures/failures'
import { PROVIDERS } from './fixtures/providers'
import { People } from './people'

/** A contractor's project as the server would hold it: enough of a backend to look at every page. */
export class World {
  signedIn = true
  setupNeeded = false
  demo = false
  integrations: IntegrationDetail[] = []
  problems: Problem[] = []
  /** Newest first. */
  events: EventDetail[] = []
  secrets = new Map<string, WebhookSecret[]>()
  rejections = new Map<string, Rejection[]>()
  /** What checks say, where a test says it; otherwise it follows from the integration. */
  health = new Map<string, IntegrationHealth>()
  marks = { yes: 17, no: 1 }
  #seq = 0
  #random = 12345
  #listeners = new Set<(name: string, data: unknown, seq: number) => void>()

  readonly people: People

  constructor(readonly now: () => number) {
    this.people = new People(now)
  }

  random(): number {
    this.#random = (this.#random * 1103515245 + 12345) % 2147483648
    return this.#random / 2147483648
  }

  subscribe(listener: (name: string, data: unknown, seq: number) => void) {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  emit(name: string, data: unknown) {
    for (const listener of this.#listeners) listener(name, data, this.#seq)
  }

  addIntegration(more: Partial<IntegrationDetail>): IntegrationDetail {
    const provider = PROVIDERS.find((item) => item.key === more.provider)
    const id = `integration-${this.integrations.length + 1}`
    const integration = anIntegration({
      id,
      providerName: provider?.name ?? '',
      webhook: { url: `http://127.0.0.1:8787/webhooks/${more.provider}/k_${id}`, aliasUrl: null, secrets: 1, rejected24h: 0 },
      lastEvents: [],
      lastCheckAt: ago(2 * MINUTE, this.now()),
      lastEventAt: ago(31 * MINUTE, this.now()),
      lastSuccessAt: ago(52 * MINUTE, this.now()),
      createdAt: ago(900 * HOUR, this.now()),
      settings: {},
      ...more,
    })
    this.integrations.push(integration)
    this.secrets.set(id, [
      { id: `${id}-secret`, last4: '9f2c', state: 'active', source: 'manual', createdAt: ago(700 * HOUR, this.now()), expiresAt: null, retiredAt: null },
    ])
    return integration
  }

  addEvent(integration: IntegrationDetail, at: number, failure: Failure | null): EventDetail {
    this.#seq += 1
    const receivedAt = new Date(at).toISOString()
    const problem = failure && this.#problem(integration, failure, receivedAt)
    const event = anEvent({
      id: `event-${this.#seq}`,
      seq: this.#seq,
      integration: integration.provider,
      integrationId: integration.id,
      integrationName: integration.name,
      eventType: failure?.eventType ?? this.#successType(integration.provider),
      status: failure ? 'failure' : 'success',
      timestamp: receivedAt,
      receivedAt,
      message: failure?.message ?? 'Accepted',
      category: failure?.classification.category ?? null,
      severity: failure?.classification.severity ?? null,
      code: failure?.code ?? null,
      problemId: problem?.id ?? null,
      error: failure && { message: failure.message, code: failure.code, context: { operation: failure.operation, httpStatus: failure.httpStatus } },
      classification: failure?.classification ?? null,
      payload: failure?.payload ?? { id: this.#seq, object: 'event', livemode: true, data: { ok: true } },
    })
    this.events.unshift(event)
    if (problem) problem.lastEventId = event.id
    integration.lastEvents = [event, ...integration.lastEvents].slice(0, 3)
    integration.lastEventAt = receivedAt
    if (failure) integration.lastFailureAt = receivedAt
    else integration.lastSuccessAt = receivedAt
    return event
  }

  #problem(integration: IntegrationDetail, failure: Failure, at: string): Problem {
    const known = this.problems.find((item) => item.integrationId === integration.id && item.code === failure.code)
    if (known) {
      known.count += 1
      known.lastSeen = at
      return known
    }
    const problem = aProblem({
      id: `problem-${this.problems.length + 1}`,
      integrationId: integration.id,
      integrationName: integration.name,
      provider: integration.provider,
      title: failure.classification.title,
      message: failure.message,
      code: failure.code,
      operation: failure.operation,
      httpStatus: failure.httpStatus,
      classification: failure.classification,
      count: 1,
      firstSeen: at,
      lastSeen: at,
    })
    this.problems.push(problem)
    return problem
  }

  #successType(provider: string): string {
    const types: Record<string, string[]> = {
      procore: ['timecard_entries.create', 'daily_logs.update', 'change_orders.create'],
      gusto: ['employee.updated', 'timesheet.created', 'payroll.processed'],
      quickbooks: ['qbo.invoice.created.v1', 'qbo.bill.updated.v1', 'qbo.journalentry.created.v1'],
      stripe: ['issuing_authorization.created', 'issuing_transaction.created', 'issuing_card.updated'],
      lcptracker: ['certified_payroll.accepted', 'certified_payroll.received'],
    }
    const choices = types[provider] ?? ['event.delivered']
    return choices[Math.floor(this.random() * choices.length)] ?? 'event.delivered'
  }
}

/** S0's contractor on a bad morning: payroll is down, accounting limps, the rest is well. */
export function contractor(now: () => number): World {
  const world = new World(now)
  const at = now()
  const quiet = (most: number, failing: (hour: number) => number = () => 0) =>
    buckets(at, (hour) => [Math.round(most * (0.25 + 0.75 * Math.abs(Math.sin((hour + 3) / 4)) * (0.7 + 0.3 * world.random()))), failing(hour)])
  const add = (provider: string, name: string, more: Partial<IntegrationDetail>) => world.addIntegration({ provider, name, ...more })
  add('procore', 'Procore', {
    score: 97,
    record24h: { status: 'healthy', successRate: 98.6, total: 1422, errors: 20 },
    sparkline: quiet(90, (hour) => (hour > 20 ? 4 : 0)),
  })
  add('gusto', 'Gusto payroll', {
    health: 'down',
    status: 'down',
    healthSince: ago(14 * MINUTE, at),
    score: 22,
    scoreParts: { freshness: 0.9, success: 0.4, errorRate: 0.3, caps: ['down: at most 40'], sentence: 'Down for 14 minutes; 3 of the last 3 calls failed.' },
    reasons: [{ code: 'auth_token_revoked', message: 'Refresh token was revoked; 3 calls in a row failed' }],
    record24h: { status: 'degraded', successRate: 91.4, total: 128, errors: 11 },
    sparkline: quiet(9, (hour) => (hour === 23 ? 3 : hour === 22 ? 2 : 0)),
  })
  add('quickbooks', 'QuickBooks', {
    health: 'degraded',
    status: 'degraded',
    healthSince: ago(2 * HOUR, at),
    score: 71,
    scoreParts: { freshness: 1, success: 0.88, errorRate: 0.6, caps: [], sentence: 'Heard from just now; 12 % of invoices were refused.' },
    reasons: [{ code: 'accounting_period_closed', message: 'Invoices are refused: the accounting period is closed' }],
    record24h: { status: 'degraded', successRate: 95.2, total: 402, errors: 19 },
    sparkline: quiet(24, (hour) => (hour > 20 ? 6 : hour % 7 === 0 ? 1 : 0)),
  })
  add('stripe', 'Field cards', { score: 99, record24h: { status: 'healthy', successRate: 99.1, total: 2240, errors: 4 }, sparkline: quiet(140, (hour) => (hour === 18 ? 2 : 0)) })
  add('lcptracker', 'Certified payroll', {
    score: 96,
    record24h: { status: 'healthy', successRate: 97.5, total: 40, errors: 1 },
    sparkline: quiet(3, (hour) => (hour === 19 ? 1 : 0)),
  })
  world.rejections.set('integration-4', [
    { reason: 'signature_mismatch', count: 6, firstAt: ago(5 * HOUR, at), lastAt: ago(40 * MINUTE, at), explanation: 'The signature does not fit any of the 1 active secrets.', hint: 'Compare the signing secret of the endpoint with the last four characters shown here. If they agree, a proxy may rewrite the body.', detail: { secretsTried: 1 } },
    { reason: 'timestamp_out_of_tolerance', count: 1, firstAt: ago(3 * HOUR, at), lastAt: ago(3 * HOUR, at), explanation: 'The delivery was signed 412 s ago; 300 s are allowed.', hint: 'It was replayed late, or the clock of this server is wrong.', detail: { skewSeconds: 412 } },
  ])
  const stripe = world.integrations[3]
  if (stripe?.webhook) stripe.webhook.rejected24h = 7
  seedEvents(world, at)
  return world
}

/** An hour of events, with each kind of failure among them. */
function seedEvents(world: World, at: number) {
  const count = 160
  for (let index = count; index > 0; index -= 1) {
    const time = at - index * 22_000 - Math.floor(world.random() * 8000)
    const failure = index % 9 === 4 ? FAILURES[Math.floor(world.random() * FAILURES.length)] : undefined
    const provider = failure?.provider ?? ['procore', 'stripe', 'procore', 'stripe', 'quickbooks', 'lcptracker'][index % 6]
    const integration = world.integrations.find((item) => item.provider === provider)
    if (integration) world.addEvent(integration, time, failure ?? null)
  }
  for (const failure of FAILURES) {
    const integration = world.integrations.find((item) => item.provider === failure.provider)
    if (integration) world.addEvent(integration, at - 14 * MINUTE + FAILURES.indexOf(failure) * 45_000, failure)
  }
  world.events.sort((a, b) => b.receivedAt.localeCompare(a.receivedAt))
  for (const [index, event] of world.events.entries()) event.seq = world.events.length - index
  const first = world.problems.find((problem) => problem.provider === 'procore')
  if (first) Object.assign(first, { state: 'acknowledged', owner: { id: 'user-1', name: 'Mara Novak' } })
  for (const integration of world.integrations) {
    integration.openProblems = world.problems.filter((problem) => problem.integrationId === integration.id && problem.state === 'open').length
  }
}
