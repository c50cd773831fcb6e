import { HttpResponse } from 'msw'

/** The one error shape of the API. */
export const failed = (status: number, code: string, message: string, details?: object) =>
  HttpResponse.json({ error: { code, message, ...(details && { details }) } }, { status })

export const gone = () => new HttpResponse(null, { status: 204 })
export const notFound = () => failed(404, 'not_found', 'There is nothing with this id in your projects.')
