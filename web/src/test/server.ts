import { setupServer } from 'msw/node'

/** Intercepts the requests of the test at hand; `renderApp` fills it. */
export const server = setupServer()
