import { http, HttpResponse, type RequestHandler } from 'msw'
import { failed, gone } from './answers'
import { aUser } from './factories-people'
import type { World } from './world'

/** The only code that is right, and the password that is not. */
export const CODE = '123456'
export const WRONG_PASSWORD = 'wrong'
export const GOOD_LINK = 'one-time'

const badCredentials = () => failed(401, 'bad_credentials', 'The email or the password is not right.')

/** Signing in, proving again, and the one-time links. */
export function sessionHandlers(world: World): RequestHandler[] {
  const { people } = world
  const session = () => HttpResponse.json(people.session(world.signedIn))
  /** What is wrong with these credentials, if anything. */
  const refusal = ({ password, code }: { password?: string; code?: string }) => {
    if (password === WRONG_PASSWORD) return badCredentials()
    const wantsCode = people.methods().code
    if (wantsCode && code === undefined) return failed(401, 'code_required', 'Enter the code of your authenticator.')
    if (wantsCode && code !== CODE) return failed(401, 'bad_code', 'That code is wrong, too old, or was used before. Wait for the next one.')
    return null
  }
  return [
    http.get('*/api/session', session),
    http.post('*/api/session', async ({ request }) => {
      const refused = refusal((await request.json()) as { password: string; code?: string })
      if (refused) return refused
      world.signedIn = true
      people.proven = true
      return session()
    }),
    http.post('*/api/session/sudo', async ({ request }) => {
      people.asked += 1
      const refused = refusal((await request.json()) as { password?: string; code?: string })
      if (refused) return refused
      people.proven = true
      return session()
    }),
    http.delete('*/api/session', () => {
      world.signedIn = false
      return gone()
    }),
    http.get('*/api/setup', () =>
      HttpResponse.json({ needed: world.setupNeeded, identityProvider: people.identityProvider && { name: people.identityProvider } }),
    ),
    http.post('*/api/setup', () => {
      world.signedIn = true
      return session()
    }),
    ...linkHandlers(world, session),
  ]
}

function linkHandlers(world: World, session: () => Response): RequestHandler[] {
  const { people } = world
  const tokenOf = async (request: Request) => ((await request.json()) as { token: string }).token
  const badLink = () => failed(401, 'bad_link', 'This link was used before or has expired.')
  const expiresAt = () => people.at(-120)
  return [
    http.post('*/api/invitations/look', async ({ request }) =>
      (await tokenOf(request)) === GOOD_LINK
        ? HttpResponse.json({ projectName: 'West Coast', role: 'editor', email: 'noor@example.com', invitedBy: 'Theo Lindqvist', expiresAt: expiresAt() })
        : badLink(),
    ),
    http.post('*/api/invitations/join', async ({ request }) => {
      const { token, email, name } = (await request.json()) as { token: string; email: string; name: string }
      if (token !== GOOD_LINK) return badLink()
      if (people.users.some((user) => user.email === email)) return failed(409, 'conflict', 'This address has an account already: sign in, then open the link again.')
      people.users.push(aUser({ id: 'user-new', email, name, operator: false, createdAt: people.at(0) }))
      Object.assign(people, { userId: 'user-new', operator: false, role: 'editor' })
      world.signedIn = true
      return session()
    }),
    http.post('*/api/invitations/accept', async ({ request }) => {
      if ((await tokenOf(request)) !== GOOD_LINK) return badLink()
      people.extraProjects.push({ id: 'project-2', slug: 'west-coast', name: 'West Coast', role: 'editor', flags: { healthUi: true, statusApi: false, shadow: true } })
      return session()
    }),
    http.post('*/api/password-reset/look', async ({ request }) =>
      (await tokenOf(request)) === GOOD_LINK ? HttpResponse.json({ email: 'ines@example.com', expiresAt: expiresAt() }) : badLink(),
    ),
    http.post('*/api/password-reset', async ({ request }) => ((await tokenOf(request)) === GOOD_LINK ? gone() : badLink())),
  ]
}
