import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { request } from '../client'
import { keys } from '../keys'
import type { ProjectDetail, ProjectFlags } from '../types'

/** The project on screen; another one is another load of the app. */
export const projectQuery = (id: string) =>
  queryOptions({
    queryKey: [...keys.project, id],
    queryFn: ({ signal }) => request('get', '/api/projects/{id}', { path: { id }, signal }),
  })
export const projectsQuery = queryOptions({
  queryKey: keys.projects,
  queryFn: ({ signal }) => request('get', '/api/projects', { signal }),
  select: (list) => list.items,
})

export interface ProjectChange {
  name?: string
  flags?: Partial<ProjectFlags>
  version: number
}
export function useChangeProject(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: ProjectChange) => request('patch', '/api/projects/{id}', { path: { id }, body }),
    onSuccess: (project) => {
      client.setQueryData<ProjectDetail>([...keys.project, id], project)
      void client.invalidateQueries({ queryKey: keys.projects })
      void client.invalidateQueries({ queryKey: keys.overview })
      return client.invalidateQueries({ queryKey: keys.session })
    },
  })
}

export function useTransferProject(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (userId: string) => request('post', '/api/projects/{id}/transfer', { path: { id }, body: { userId } }),
    onSuccess: (project) => {
      client.setQueryData<ProjectDetail>([...keys.project, id], project)
      void client.invalidateQueries({ queryKey: keys.members })
      return client.invalidateQueries({ queryKey: keys.session })
    },
  })
}

// Both leave a project that is on screen: the app loads anew, on another one.
export function useLeaveProject(id: string) {
  return useMutation({
    mutationFn: () => request('post', '/api/projects/{id}/leave', { path: { id } }),
    onSuccess: () => globalThis.location.assign('/'),
  })
}
export function useDeleteProject(id: string) {
  return useMutation({
    mutationFn: (confirm: string) => request('delete', '/api/projects/{id}', { path: { id }, body: { confirm } }),
    onSuccess: () => globalThis.location.assign('/'),
  })
}

export function useCreateProject() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: { slug: string; name: string }) => request('post', '/api/projects', { body }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: keys.session })
      return client.invalidateQueries({ queryKey: keys.projects })
    },
  })
}
