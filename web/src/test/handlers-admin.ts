import { http, HttpResponse, type RequestHandler } from 'msw'
import type { UserChange } from '@/api/queries/users'
import { gone, notFound } from './answers'
import { aUser } from './factories-people'
import { guard, staleness } from './guard'
import type { World } from './world'

/** The people of the installation, and the audit log. */
export function adminHandlers(world: World): RequestHandler[] {
  return [...userHandlers(world), ...auditHandlers(world)]
}

function userHandlers(world: World): RequestHandler[] {
  const { people } = world
  const find = (id: unknown) => people.users.find((user) => user.id === id)
  return [
    http.get('*/api/users', () => guard(world) ?? HttpResponse.json({ items: people.users })),
    http.post('*/api/users', async ({ request }) => {
      const { email, name, operator } = (await request.json()) as { email: string; name: string; operator?: boolean }
      const user = aUser({ id: `user-${people.users.length + 1}`, email, name, operator: operator ?? false, hasPassword: false, lastSeenAt: null, projects: 0, createdAt: people.at(0) })
      people.users.push(user)
      return HttpResponse.json({ user, link: 'https://keeper.example.com/reset?token=made-for-you' }, { status: 201 })
    }),
    http.patch('*/api/users/:id', async ({ params, request }) => {
      const user = find(params['id'])
      if (!user) return notFound()
      const { version, disabled, ...change } = (await request.json()) as UserChange
      const refused = guard(world) ?? staleness(user, version, 'account')
      if (refused) return refused
      Object.assign(user, change, { version: user.version + 1 }, disabled !== undefined && { disabledAt: disabled ? people.at(0) : null })
      return HttpResponse.json(user)
    }),
    http.post('*/api/users/:id/password-reset', () =>
      HttpResponse.json({ link: 'https://keeper.example.com/reset?token=made-for-you', expiresAt: people.at(-24) }, { status: 201 }),
    ),
    http.delete('*/api/users/:id/sessions', gone),
    http.delete('*/api/users/:id/totp', ({ params }) => {
      const user = find(params['id'])
      if (user) user.totp = false
      return gone()
    }),
  ]
}

function auditHandlers(world: World): RequestHandler[] {
  const { people } = world
  return [
    http.get('*/api/audit/export', () => new HttpResponse('seq,at\n', { headers: { 'content-type': 'text/csv' } })),
    http.get('*/api/audit/check', () =>
      guard(world) ??
      HttpResponse.json({
        ok: people.auditProblem === null,
        rows: people.audit.length,
        head: { seq: people.audit.length, hash: 'blake3:7d1f0c5e9a2b4c6d8e0f1a2b3c4d5e6f' },
        problem: people.auditProblem,
      }),
    ),
    http.get('*/api/audit', ({ request }) => {
      const refused = guard(world)
      if (refused) return refused
      const query = new URL(request.url).searchParams
      const has = (text: string | null, name: string) => !query.has(name) || (text ?? '').toLowerCase().includes((query.get(name) ?? '').toLowerCase())
      const rows = people.audit.filter(
        (row) =>
          (query.get('scope') === 'installation' || row.projectId !== null) &&
          has(row.actorName, 'actor') &&
          has(row.action, 'action') &&
          has(`${row.summary} ${row.target}`, 'q') &&
          (!query.has('result') || row.result === query.get('result')) &&
          (!query.has('from') || row.at >= (query.get('from') ?? '')) &&
          (!query.has('to') || row.at <= (query.get('to') ?? '')),
      )
      const start = Number(query.get('cursor') ?? 0)
      const end = start + Number(query.get('limit') ?? 50)
      return HttpResponse.json({ items: rows.slice(start, end), nextCursor: end < rows.length ? String(end) : null })
    }),
  ]
}
