import '@testing-library/jest-dom/vitest'
import { cleanup, configure } from '@testing-library/react'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { server } from './server'

// A busy machine is slow, not wrong.
configure({ asyncUtilTimeout: 8000 })

// What jsdom lacks and the UI uses.
Object.assign(globalThis, {
  matchMedia: (query: string) => ({ matches: false, media: query, addEventListener() {}, removeEventListener() {} }),
  ResizeObserver: class {
    observe() {}
    unobserve() {}
    disconnect() {}
  },
  scrollTo: () => undefined,
})
// jsdom has no canvas, and would say so on the console.
HTMLCanvasElement.prototype.getContext = () => null
Element.prototype.scrollIntoView = () => undefined
globalThis.CSS ??= { escape: (text: string) => text } as typeof CSS

beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
afterEach(() => {
  cleanup()
  server.resetHandlers()
  localStorage.clear()
  sessionStorage.clear()
})
afterAll(() => server.close())
