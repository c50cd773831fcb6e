import { failed } from './answers'
import type { World } from './world'

/** Refuses while the last proof is old, as every admin area does. */
export function guard(world: World) {
  return world.people.proven ? null : failed(403, 'sudo_required', 'Confirm that it is you.', world.people.methods())
}

/** Refuses a version that somebody else has changed since, and says what they did. */
export function staleness(row: { version: number }, version: number, what: string) {
  if (version === row.version) return null
  return failed(409, 'stale_version', `Theo Lindqvist changed this ${what} 2 minutes ago.`, { version: row.version, changedBy: 'Theo Lindqvist', current: row })
}
