// Signs deliveries for other programs: reads JSON lines {lib, secret, body, ts?} from standard input
// and prints one JSON line {headers} for each. lib: stripe, github, standardwebhooks, slack.

import { createInterface } from 'node:readline'
import { signers } from './lib/signers.mjs'

for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === '') continue
  const { lib, secret, body, ts } = JSON.parse(line)
  const sign = signers[lib]
  if (!sign) {
    console.error(`error: unknown lib ${lib}; known: ${Object.keys(signers).join(', ')}`)
    process.exit(1)
  }
  console.log(JSON.stringify({ headers: await sign(secret, body, ts) }))
}
