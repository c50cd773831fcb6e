import { http, HttpResponse, type RequestHandler } from 'msw'
import { failed, gone } from './answers'
import { guard, staleness } from './guard'
import { CODE, WRONG_PASSWORD } from './handlers-session'
import type { World } from './world'

export const RECOVERY_CODES = Array.from({ length: 10 }, (_, index) => `${String(index).repeat(4)}-example`)
/** A picture in the place of a QR code. */
const QR = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 21 21" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h21v21H0z"/><path d="M1 1h7v7H1zM13 1h7v7h-7zM1 13h7v7H1zM10 3h1v2h-1zM9 9h3v3H9zM14 14h2v2h-2zM17 11h3v1h-3zM11 15h1v4h-1zM18 17h2v3h-2z"/></svg>'

/** The signed-in person's own account. */
export function profileHandlers(world: World): RequestHandler[] {
  const { people } = world
  const profile = () => HttpResponse.json(people.profile())
  const codes = () => {
    people.totp = { enabled: true, since: people.totp.since ?? people.at(0), recoveryCodesLeft: RECOVERY_CODES.length }
    return HttpResponse.json({ recoveryCodes: RECOVERY_CODES })
  }
  return [
    http.get('*/api/profile', profile),
    http.patch('*/api/profile', async ({ request }) => {
      const { name, version } = (await request.json()) as { name: string; version: number }
      const refused = staleness({ version: people.profileVersion }, version, 'profile')
      if (refused) return refused
      const user = people.users.find((item) => item.id === people.userId)
      if (user) user.name = name
      people.profileVersion += 1
      return profile()
    }),
    http.put('*/api/profile/password', async ({ request }) => {
      const { current } = (await request.json()) as { current?: string }
      if (current === WRONG_PASSWORD) return failed(401, 'bad_credentials', 'The current password is not right.')
      people.sessions = people.sessions.filter((session) => session.current)
      people.hasPassword = true
      return gone()
    }),
    http.post('*/api/profile/totp', () => {
      const url = 'otpauth://totp/Linekeeper:mara@example.com?secret=EXAMPLEEXAMPLE23&issuer=Linekeeper'
      return guard(world) ?? HttpResponse.json({ secret: 'EXAMPLEEXAMPLE23', url, qrSvg: QR })
    }),
    http.put('*/api/profile/totp', async ({ request }) => {
      const { code } = (await request.json()) as { code: string }
      return code === CODE ? codes() : failed(401, 'bad_code', 'That code is wrong or too old. Enter the one shown now.')
    }),
    http.delete('*/api/profile/totp', () => {
      const refused = guard(world)
      if (refused) return refused
      people.totp = { enabled: false, since: null, recoveryCodesLeft: 0 }
      return gone()
    }),
    http.post('*/api/profile/totp/recovery-codes', () => guard(world) ?? codes()),
    http.get('*/api/profile/sessions', () => HttpResponse.json({ items: people.sessions })),
    http.delete('*/api/profile/sessions/:id', ({ params }) => {
      people.sessions = people.sessions.filter((session) => session.id !== params['id'])
      return gone()
    }),
    http.delete('*/api/profile/sessions', () => {
      people.sessions = people.sessions.filter((session) => session.current)
      return gone()
    }),
    http.get('*/api/profile/keys', () => HttpResponse.json({ items: people.keys.filter((key) => key.createdBy === 'Mara Novak') })),
    http.delete('*/api/profile/keys/:id', ({ params }) => {
      const key = people.keys.find((item) => item.id === params['id'])
      if (key) key.revokedAt = people.at(0)
      return gone()
    }),
  ]
}
