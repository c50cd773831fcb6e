import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { inProject, request } from '../client'
import type { EventFilters } from '../filters'
import { keys } from '../keys'
import type { Category, EventDetail } from '../types'

export const EVENTS_PER_PAGE = 50

export const eventsQuery = (filters: EventFilters) =>
  infiniteQueryOptions({
    queryKey: keys.events(filters),
    queryFn: ({ signal, pageParam }) =>
      request('get', '/api/events', {
        signal,
        query: inProject({ ...filters, limit: EVENTS_PER_PAGE, ...(pageParam !== null && { cursor: pageParam }) }),
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
  })

export const eventQuery = (id: string) =>
  queryOptions({
    queryKey: keys.event(id),
    queryFn: ({ signal }) => request('get', '/api/events/{id}', { path: { id }, signal }) as Promise<EventDetail>,
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
      request('post', '/api/events/{id}/feedback', { path: { id: eventId }, body }),
    onSuccess: (feedback, { eventId }) => {
      client.setQueryData<EventDetail>(keys.event(eventId), (event) => event && { ...event, feedback })
      void client.invalidateQueries({ queryKey: keys.overview })
      void client.invalidateQueries({ queryKey: keys.allProblems })
      void client.invalidateQueries({ queryKey: ['problem'] })
      void client.invalidateQueries({ queryKey: keys.allEventDetails })
    },
  })
}
