#!/usr/bin/env node
// A real OpenID Connect provider for the browser tests, strict where providers differ: PKCE with
// S256, a client secret, one redirect URI, and the e-mail address told at userinfo alone.
//
//   OIDC_CLIENT_ID=.. OIDC_CLIENT_SECRET=.. node tests-node/oidc-provider.mjs REDIRECT_URI
//
// Prints its issuer when it accepts. Any login and password are good; `mia` is mia@example.com,
// and an address beginning with `unverified` is not verified.

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

const [redirectUri] = process.argv.slice(2)
const { OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret } = process.env
if (!redirectUri || !clientId || !clientSecret) {
  console.error('usage: OIDC_CLIENT_ID=.. OIDC_CLIENT_SECRET=.. oidc-provider.mjs REDIRECT_URI')
  process.exit(2)
}

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

const configuration = {
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'signing' }] },
  cookies: { keys: [randomBytes(24).toString('hex')] },
  pkce: { methods: ['S256'], required: () => true },
  responseTypes: ['code'],
  scopes: ['openid', 'email', 'profile'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  features: { devInteractions: { enabled: true } },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: id, email: `${id}@example.com`, email_verified: !id.startsWith('unverified') }),
  }),
}

const server = createServer()
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  const provider = new Provider(issuer, configuration)
  provider.on('server_error', (_, error) => console.error(error))
  server.on('request', provider.callback())
  console.log(issuer)
})
