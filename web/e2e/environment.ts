import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The Linekeeper under test. */
export const BASE_URL = process.env['LK_BASE_URL'] ?? 'http://127.0.0.1:8787'
/** Its SQLite file, where the test may reach it. */
export const DATABASE = process.env['LK_DATABASE']
/** The session of the signed-in person; outside the repository, one for each server. */
export const SESSION_FILE = join(tmpdir(), `linekeeper-e2e-${new URL(BASE_URL).port}.json`)
