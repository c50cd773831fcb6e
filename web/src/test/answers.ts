import { HttpResponse } from 'msw'

/** The one error shape of the API. */
export const failed = (status: number, code: string, message: string) =>
  HttpResponse.json({ error: { code, message } }, { status })
