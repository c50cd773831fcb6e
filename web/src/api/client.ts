import type { ErrorBody, Json } from './types'

/** An answer that was not 2xx, or no answer at all (`status` 0, code `unreachable`). */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly details: Json = null,
    /** Seconds the server asks us to wait. */
    readonly retryAfter: number | null = null,
  ) {
    super(message)
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>

interface Options {
  query?: Query
  body?: unknown
  signal?: AbortSignal
}

// The CSRF token and the chosen project belong to the signed-in session, not to a component.
let csrfToken: string | null = null
let projectId: string | null = null

export function setCsrfToken(token: string | null) {
  csrfToken = token
}
export function setProjectId(id: string | null) {
  projectId = id
}
/** Adds the chosen project to a query or body; without one the server uses the caller's only project. */
export function inProject<T extends object>(fields: T): T & { projectId?: string } {
  return projectId === null ? fields : { projectId, ...fields }
}

export function url(path: string, query: Query = {}): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') search.set(key, String(value))
  }
  const text = search.toString()
  return text ? `${path}?${text}` : path
}

/** Sends one request and returns the JSON answer; throws `ApiError` for everything else. */
export async function request<T>(method: string, path: string, { query, body, signal }: Options = {}): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (body !== undefined) headers['content-type'] = 'application/json'
  if (method !== 'GET' && csrfToken) headers['x-csrf-token'] = csrfToken
  const response = await fetch(url(path, query), {
    method,
    headers,
    credentials: 'same-origin',
    body: body === undefined ? null : JSON.stringify(body),
    ...(signal && { signal }),
  }).catch((cause: unknown) => {
    if (signal?.aborted) throw cause
    throw new ApiError('Linekeeper cannot be reached. Check the connection and that the server runs.', 0, 'unreachable')
  })
  if (response.status === 204) return undefined as T
  if (response.ok) return (await response.json()) as T
  throw await toApiError(response)
}

async function toApiError(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => null)) as Partial<ErrorBody> | null
  const error = body?.error
  return new ApiError(
    error?.message ?? `The server answered ${response.status}.`,
    response.status,
    error?.code ?? 'unexpected',
    error?.details ?? null,
    error?.retryAfter ?? null,
  )
}
