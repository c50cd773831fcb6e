import { http, HttpResponse } from 'msw'
import { expect, test, vi } from 'vitest'
import { failed } from '@/test/answers'
import { server } from '@/test/server'
import { request } from './client'
import { setSudoHandler, sudoCancelled, type SudoHandler } from './sudo'

function guarded() {
  let proven = false
  const calls = vi.fn<() => void>()
  server.use(
    http.get('*/api/users', () => {
      calls()
      return proven ? HttpResponse.json({ items: [] }) : failed(403, 'sudo_required', 'Confirm that it is you.', { password: true, code: true, identityProvider: false })
    }),
  )
  return { calls, prove: () => (proven = true) }
}

test('parallel requests share one question and are all repeated after it', async () => {
  const { calls, prove } = guarded()
  const ask = vi.fn<SudoHandler>(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20))
    prove()
  })
  const remove = setSudoHandler(ask)
  const answers = await Promise.all([1, 2, 3].map(() => request('get', '/api/users', {})))
  expect(answers).toEqual([{ items: [] }, { items: [] }, { items: [] }])
  expect(ask).toHaveBeenCalledOnce()
  expect(ask).toHaveBeenCalledWith({ password: true, code: true, identityProvider: false })
  expect(calls).toHaveBeenCalledTimes(6)
  remove()
})

test('declining rejects them with a sentence, and the next request asks anew', async () => {
  guarded()
  const ask = vi.fn<SudoHandler>(() => Promise.reject(sudoCancelled()))
  const remove = setSudoHandler(ask)
  await expect(request('get', '/api/users', {})).rejects.toThrow('Nothing was done: first confirm that it is you.')
  await expect(request('get', '/api/users', {})).rejects.toMatchObject({ code: 'sudo_cancelled' })
  expect(ask).toHaveBeenCalledTimes(2)
  remove()
})

test('where nobody can ask, the refusal stands', async () => {
  guarded()
  await expect(request('get', '/api/users', {})).rejects.toMatchObject({ code: 'sudo_required' })
})
