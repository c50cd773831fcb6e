import { QueryClientProvider } from '@tanstack/react-query'
import { createMemoryHistory, RouterProvider } from '@tanstack/react-router'
import { render } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { createQueryClient } from '@/api/query-client'
import { createAppRouter } from '@/routes/router'
import { ClockContext, type Clock } from '@/ui/time'
import { NOW } from './factories'
import { handlers } from './handlers'
import { server } from './server'
import { contractor, type World } from './world'

const STILL: Clock = { now: () => NOW, subscribe: () => () => undefined }

/** The whole app at an address, over a world that stands still unless the test moves it. */
export function renderApp(path: string, world: World = contractor(() => NOW)) {
  server.use(...handlers(world))
  const client = createQueryClient()
  client.setDefaultOptions({ queries: { retry: false, staleTime: 30_000 } })
  const router = createAppRouter(client)
  const history = createMemoryHistory({ initialEntries: [path] })
  router.update({ ...router.options, history, defaultPreload: false })
  const user = userEvent.setup()
  render(
    <ClockContext value={STILL}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </ClockContext>,
  )
  return { world, user, client, router }
}
