import { http, HttpResponse, type RequestHandler } from 'msw'
import type { ProjectChange } from '@/api/queries/projects'
import type { NewApiKey } from '@/api/queries/api-keys'
import type { NewInvitation } from '@/api/queries/members'
import type { Role } from '@/api/types'
import { failed, gone, notFound } from './answers'
import { anApiKey, aProject } from './factories-people'
import { guard, staleness } from './guard'
import type { World } from './world'

/** Members, invitations, keys and the projects themselves. */
export function projectHandlers(world: World): RequestHandler[] {
  return [...memberHandlers(world), ...keyHandlers(world), ...projectsHandlers(world)]
}

function memberHandlers(world: World): RequestHandler[] {
  const { people } = world
  const find = (id: unknown) => people.members.find((member) => member.userId === id)
  return [
    http.get('*/api/members', () => HttpResponse.json({ items: people.members })),
    http.patch('*/api/members/:id', async ({ params, request }) => {
      const member = find(params['id'])
      if (!member) return notFound()
      const { role, version } = (await request.json()) as { role: Role; version: number }
      const refused = guard(world) ?? staleness(member, version, 'member')
      if (refused) return refused
      Object.assign(member, { role, version: member.version + 1 })
      return HttpResponse.json(member)
    }),
    http.delete('*/api/members/:id', ({ params }) => {
      const refused = guard(world)
      if (refused) return refused
      people.members = people.members.filter((member) => member.userId !== params['id'])
      return gone()
    }),
    http.get('*/api/invitations', () => HttpResponse.json({ items: people.invitations })),
    http.post('*/api/invitations', async ({ request }) => {
      const refused = guard(world)
      if (refused) return refused
      const { role, email, expiresInDays } = (await request.json()) as NewInvitation
      const invitation = {
        id: `invitation-${people.invitations.length + 1}`,
        role,
        email: email ?? null,
        createdBy: 'Mara Novak',
        createdAt: people.at(0),
        expiresAt: people.at(-24 * expiresInDays),
      }
      people.invitations = [invitation, ...people.invitations]
      return HttpResponse.json({ invitation, link: 'https://keeper.example.com/invitation?token=made-for-you' }, { status: 201 })
    }),
    http.delete('*/api/invitations/:id', ({ params }) => {
      people.invitations = people.invitations.filter((invitation) => invitation.id !== params['id'])
      return guard(world) ?? gone()
    }),
  ]
}

function keyHandlers(world: World): RequestHandler[] {
  const { people } = world
  return [
    http.get('*/api/keys', () => guard(world) ?? HttpResponse.json({ items: people.keys })),
    http.post('*/api/keys', async ({ request }) => {
      const refused = guard(world)
      if (refused) return refused
      const { name, role, scopes, expiresInDays } = (await request.json()) as NewApiKey
      const expiresAt = expiresInDays === undefined ? null : people.at(-24 * expiresInDays)
      const key = anApiKey({ id: `key-${people.keys.length + 1}`, name, role, scopes, expiresAt, last4: '0000', createdAt: people.at(0) })
      people.keys = [key, ...people.keys]
      return HttpResponse.json({ key, value: 'lk_example_not_a_real_key' }, { status: 201 })
    }),
    http.delete('*/api/keys/:id', ({ params }) => {
      const refused = guard(world)
      if (refused) return refused
      const key = people.keys.find((item) => item.id === params['id'])
      if (key) key.revokedAt = people.at(0)
      return gone()
    }),
  ]
}

function projectsHandlers(world: World): RequestHandler[] {
  const { people } = world
  const find = (id: unknown) => people.projects.find((project) => project.id === id)
  return [
    http.get('*/api/projects', () => HttpResponse.json({ items: people.projects })),
    http.post('*/api/projects', async ({ request }) => {
      const refused = guard(world)
      if (refused) return refused
      const { slug, name } = (await request.json()) as { slug: string; name: string }
      if (people.projects.some((project) => project.slug === slug)) return failed(409, 'conflict', `There is a project with the short name ${slug} already. Choose another.`)
      const project = aProject({ id: `project-${people.projects.length + 1}`, slug, name, members: 1, integrations: 0, createdAt: people.at(0) })
      people.projects.push(project)
      return HttpResponse.json(project, { status: 201 })
    }),
    http.get('*/api/projects/:id', ({ params }) => {
      const project = find(params['id'])
      return project ? HttpResponse.json(project) : notFound()
    }),
    http.patch('*/api/projects/:id', async ({ params, request }) => {
      const project = find(params['id'])
      if (!project) return notFound()
      const { name, flags, version } = (await request.json()) as ProjectChange
      const refused = guard(world) ?? staleness(project, version, 'project')
      if (refused) return refused
      Object.assign(project, { ...(name && { name }), flags: { ...project.flags, ...flags }, version: project.version + 1 })
      return HttpResponse.json(project)
    }),
    http.delete('*/api/projects/:id', async ({ params, request }) => {
      const project = find(params['id'])
      const { confirm } = (await request.json()) as { confirm: string }
      if (confirm !== project?.slug) return failed(400, 'invalid', 'confirm must be the short name of the project.')
      people.projects = people.projects.filter((item) => item !== project)
      people.role = null
      return guard(world) ?? gone()
    }),
    http.post('*/api/projects/:id/transfer', async ({ params, request }) => {
      const project = find(params['id'])
      const { userId } = (await request.json()) as { userId: string }
      people.members = people.members.map((member) =>
        member.userId === userId ? { ...member, role: 'owner' } : member.userId === people.userId ? { ...member, role: 'admin' } : member,
      )
      people.role = 'admin'
      return guard(world) ?? HttpResponse.json({ ...project, role: 'admin' })
    }),
    http.post('*/api/projects/:id/leave', () => {
      people.role = null
      return gone()
    }),
  ]
}
