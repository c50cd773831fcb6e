/** An answer that was not 2xx, or no answer at all (`status` 0, code `unreachable`). */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly details: Record<string, unknown> | null = null,
    /** Seconds the server asks us to wait. */
    readonly retryAfter: number | null = null,
  ) {
    super(message)
  }
}

export const hasCode = (error: unknown, code: string): error is ApiError => error instanceof ApiError && error.code === code
