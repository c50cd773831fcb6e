import { ApiError, hasCode } from './error'
import type { SudoMethods } from './types'

/** Asks the person for a fresh proof; resolves when the server has it, rejects when they would rather not. */
export type SudoHandler = (methods: SudoMethods) => Promise<void>

/** The code of the error that a request ends with when the person closed the question. */
export const SUDO_CANCELLED = 'sudo_cancelled'
export const sudoCancelled = () =>
  new ApiError('Nothing was done: first confirm that it is you.', 403, SUDO_CANCELLED)

let handler: SudoHandler | null = null
let asking: Promise<void> | null = null

/** The shell's dialog registers itself here; returns how to take it away again. */
export function setSudoHandler(next: SudoHandler): () => void {
  handler = next
  return () => {
    if (handler === next) handler = null
  }
}

export const needsProof = (error: unknown): error is ApiError => hasCode(error, 'sudo_required')

/** One question for all requests that wait for it; where nobody can ask, the refusal stands. */
export function proveOnce(refusal: ApiError): Promise<void> {
  if (!handler) return Promise.reject(refusal)
  const methods = { password: true, code: false, identityProvider: false, ...refusal.details }
  asking ??= handler(methods).finally(() => {
    asking = null
  })
  return asking
}
