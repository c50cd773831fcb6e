import type { EventFilters, ProblemFilters } from './filters'

/** Every key of the query cache, so that the live stream and the mutations patch what the pages read. */
export const keys = {
  session: ['session'] as const,
  setup: ['setup'] as const,
  overview: ['overview'] as const,
  providers: ['providers'] as const,
  demo: ['demo'] as const,
  members: ['members'] as const,
  apiKeys: ['keys'] as const,
  audit: ['audit'] as const,
  integrations: ['integrations'] as const,
  integration: (id: string) => ['integration', id] as const,
  secrets: (id: string) => ['integration', id, 'secrets'] as const,
  rejections: (id: string) => ['integration', id, 'rejections'] as const,
  allEvents: ['events'] as const,
  events: (filters: EventFilters) => ['events', filters] as const,
  allEventDetails: ['event'] as const,
  event: (id: string) => ['event', id] as const,
  allProblems: ['problems'] as const,
  problems: (filters: ProblemFilters) => ['problems', filters] as const,
  problem: (id: string) => ['problem', id] as const,
}
