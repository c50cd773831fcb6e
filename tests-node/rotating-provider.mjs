#!/usr/bin/env node
// A real OAuth 2 provider for the tests of credentials: refresh tokens rotate, and one that is used
// twice ends the whole grant. Beside it an API that takes its tokens, and the strings to pull.
//
//   OIDC_CLIENT_ID=.. OIDC_CLIENT_SECRET=.. ACCESS_TTL_S=40 node tests-node/rotating-provider.mjs REDIRECT_URI
//
// Prints its address when it accepts; ends when its standard input does.
//   GET  /api/me              {"account"} for a good token, else 401
//   GET  /control/log         every refresh: [{"ok","error","detail"}]
//   POST /control/revoke      every grant ends, as when somebody withdraws access
//   POST /control/down?on=1   the token endpoint answers 503, and with on=0 no longer

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

const [redirectUri] = process.argv.slice(2)
const { OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret, ACCESS_TTL_S: ttl } = process.env
if (!redirectUri || !clientId || !clientSecret) {
  console.error('usage: OIDC_CLIENT_ID=.. OIDC_CLIENT_SECRET=.. rotating-provider.mjs REDIRECT_URI')
  process.exit(2)
}

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const log = []
const grants = new Set()
let down = false

const configuration = {
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'signing' }] },
  cookies: { keys: [randomBytes(24).toString('hex')] },
  pkce: { methods: ['S256'], required: () => true },
  responseTypes: ['code'],
  scopes: ['openid', 'offline_access', 'read'],
  rotateRefreshToken: true,
  issueRefreshToken: () => true,
  ttl: { AccessToken: Number(ttl ?? 3600), RefreshToken: 86400, Grant: 86400, Session: 86400, Interaction: 600 },
  features: { devInteractions: { enabled: true } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
}

const json = (response, status, body) => {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

const server = createServer()
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  const provider = new Provider(issuer, configuration)
  provider.on('server_error', (_, error) => console.error(error))
  provider.on('grant.success', (ctx) => {
    grants.add(ctx.oidc.entities.Grant?.jti)
    if (ctx.oidc.params.grant_type === 'refresh_token') log.push({ ok: true })
  })
  provider.on('grant.error', (ctx, error) => {
    if (ctx.oidc?.params?.grant_type !== 'refresh_token') return
    log.push({ ok: false, error: error.error, detail: error.error_detail ?? null })
  })
  const answer = provider.callback()
  server.on('request', async (request, response) => {
    const url = new URL(request.url, issuer)
    if (url.pathname === '/api/me') {
      const token = (request.headers.authorization ?? '').replace(/^Bearer /, '')
      const found = token && (await provider.AccessToken.find(token))
      const grant = found && (await provider.Grant.find(found.grantId))
      if (found && grant) return json(response, 200, { account: found.accountId })
      return json(response, 401, { error: 'token refused' })
    }
    if (url.pathname === '/control/log') return json(response, 200, log)
    if (url.pathname === '/control/revoke') {
      for (const id of grants) {
        for (const kind of ['AccessToken', 'RefreshToken', 'AuthorizationCode']) await provider[kind].revokeByGrantId(id)
        await (await provider.Grant.find(id))?.destroy()
      }
      return json(response, 200, {})
    }
    if (url.pathname === '/control/down') {
      down = url.searchParams.get('on') === '1'
      return json(response, 200, {})
    }
    if (down && url.pathname === '/token') return json(response, 503, { error: 'temporarily_unavailable' })
    return answer(request, response)
  })
  console.log(issuer)
})
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
