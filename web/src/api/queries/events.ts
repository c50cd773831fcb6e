import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { inProject, request } from '../client'
import type { EventFilters } from '../filters'
import { keys } from '../keys'
import type { Category, EventDetail, EventItem, Feedback, Page } from '../types'

export const EVENTS_PER_PAGE = 50

export const eventsQuery = (filters: EventFilters) =>
  infiniteQueryOptions({
    queryKey: keys.events(filters),
    queryFn: ({ signal, pageParam }) =>
      request<Page<EventItem>>('GET', '/api/events', {
        signal,
        query: inProject({ ...filters, limit: EVENTS_PER_PAGE, cursor: pageParam }),
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
  })

export const eventQuery = (id: string) =>
  queryOptions({
    queryKey: keys.event(id),
    queryFn: ({ signal }) => request<EventDetail>('GET', `/api/events/${encodeURIComponent(id)}`, { signal }),
  })

export interface FeedbackInput {
  eventId: string
  helpful?: boolean
  category?: Category
  comment?: string
}

/** Marks an explanation helpful or not, or corrects its category; both change what the overview counts. */
export function useFeedback() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ eventId, ...body }: FeedbackInput) =>
      request<Feedback>('POST', `/api/events/${encodeURIComponent(eventId)}/feedback`, { body }),
    onSuccess: (feedback, { eventId }) => {
      client.setQueryData<EventDetail>(keys.event(eventId), (event) => event && { ...event, feedback })
      void client.invalidateQueries({ queryKey: keys.overview })
      void client.invalidateQueries({ queryKey: keys.allProblems })
      void client.invalidateQueries({ queryKey: ['problem'] })
      void client.invalidateQueries({ queryKey: keys.allEventDetails })
    },
  })
}
