import { ApiError } from './error'
import type { paths } from './schema'
import { needsProof, proveOnce } from './sudo'
import type { ErrorBody } from './types'

export { ApiError }

export type Query = Record<string, string | number | boolean | null | undefined>

// What the OpenAPI document says of one operation. A path, parameter or field that it does not have is a type error.
type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'
type PathsOf<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, object> ? P : never }[keyof paths]
type Operation<M extends Method, P extends PathsOf<M>> = paths[P] extends Record<M, infer O> ? O : never
type Slot<O, K extends 'path' | 'query'> = O extends { parameters: Record<K, infer V> } ? V : never
type QueryOf<O> = O extends { parameters: { query?: infer V } } ? V : never
type BodyOf<O> = O extends { requestBody: { content: { 'application/json': infer B } } } ? B : never
type JsonOf<R, S extends number> = R extends Record<S, { content: { 'application/json': infer J } }> ? J : never
type AnswerOf<O> = O extends { responses: infer R } ? (204 extends keyof R ? void : JsonOf<R, 200> | JsonOf<R, 201>) : never

type Needs<K extends string, V> = [V] extends [never] ? unknown : Record<K, V>
type Input<O> = Needs<'path', Slot<O, 'path'>> &
  Needs<'body', BodyOf<O>> & { query?: QueryOf<O> | undefined; signal?: AbortSignal }

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

/**
 * Sends one request and returns the JSON answer; throws `ApiError` for everything else. When the server wants a
 * fresh proof of who is there, the person is asked for it and the request goes out once more.
 */
export async function request<M extends Method, P extends PathsOf<M>>(
  method: M,
  path: P,
  input: Input<Operation<M, P>>,
): Promise<AnswerOf<Operation<M, P>>> {
  const attempt = () => send(method, String(path), input as Untyped) as Promise<AnswerOf<Operation<M, P>>>
  try {
    return await attempt()
  } catch (error) {
    if (!needsProof(error)) throw error
    await proveOnce(error)
    return attempt()
  }
}

async function send(method: Method, path: string, { path: slots, query, body, signal }: Untyped): Promise<unknown> {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(slots?.[name] ?? ''))
  const headers: Record<string, string> = { accept: 'application/json' }
  if (body !== undefined) headers['content-type'] = 'application/json'
  if (method !== 'get' && csrfToken) headers['x-csrf-token'] = csrfToken
  const response = await fetch(url(filled, query), {
    method: method.toUpperCase(),
    headers,
    credentials: 'same-origin',
    body: body === undefined ? null : JSON.stringify(body),
    ...(signal && { signal }),
  }).catch((cause: unknown) => {
    if (signal?.aborted) throw cause
    throw new ApiError('Linekeeper cannot be reached. Check the connection and that the server runs.', 0, 'unreachable')
  })
  if (!response.ok) throw await toApiError(response)
  return response.status === 204 ? undefined : await response.json()
}

/** An input after its types have done their work. */
interface Untyped {
  path?: Record<string, string>
  query?: Query
  body?: unknown
  signal?: AbortSignal
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
