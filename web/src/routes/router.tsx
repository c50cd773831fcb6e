import type { QueryClient } from '@tanstack/react-query'
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router'
import { sessionQuery } from '@/api/queries/session'
import { AppLayout } from './app'
import { NotFound, RouteError } from './fallbacks'
import { OverviewRoute } from './overview'
import {
  auditSearch,
  chartSearch,
  drawerSearch,
  eventSearch,
  integrationsSearch,
  linkSearch,
  problemSearch,
  signInSearch,
  tabSearch,
  wizardSearch,
} from './search'

const root = createRootRouteWithContext<{ client: QueryClient }>()({
  notFoundComponent: NotFound,
  errorComponent: RouteError,
})

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: signInSearch,
  component: lazyRouteComponent(() => import('./session'), 'SignInRoute'),
})
const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  validateSearch: linkSearch,
  component: lazyRouteComponent(() => import('./session'), 'SetupRoute'),
})
const invitation = createRoute({
  getParentRoute: () => root,
  path: '/invitation',
  validateSearch: linkSearch,
  component: lazyRouteComponent(() => import('./session'), 'InvitationRoute'),
})
const reset = createRoute({
  getParentRoute: () => root,
  path: '/reset',
  validateSearch: linkSearch,
  component: lazyRouteComponent(() => import('./session'), 'ResetRoute'),
})

/** Everything behind the session. */
const app = createRoute({
  getParentRoute: () => root,
  id: 'app',
  validateSearch: drawerSearch,
  component: AppLayout,
  errorComponent: RouteError,
  beforeLoad: async ({ context, location }) => {
    const session = await context.client.ensureQueryData(sessionQuery)
    if (!session.user) throw redirect({ to: '/sign-in', search: { next: location.href } })
  },
})

const pages = [
  createRoute({ getParentRoute: () => app, path: '/', validateSearch: eventSearch, component: OverviewRoute }),
  createRoute({
    getParentRoute: () => app,
    path: '/events',
    validateSearch: eventSearch,
    component: lazyRouteComponent(() => import('./events'), 'EventsRoute'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/problems',
    validateSearch: problemSearch,
    component: lazyRouteComponent(() => import('./problems'), 'ProblemsRoute'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/problems/$id',
    validateSearch: problemSearch,
    component: lazyRouteComponent(() => import('./problems'), 'ProblemRoute'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/integrations',
    validateSearch: integrationsSearch,
    component: lazyRouteComponent(() => import('./integrations'), 'IntegrationsRoute'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/integrations/new',
    validateSearch: wizardSearch,
    component: lazyRouteComponent(() => import('./integrations'), 'NewIntegrationRoute'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/integrations/$id',
    validateSearch: (raw: Record<string, unknown>) => ({ ...eventSearch(raw), ...tabSearch(raw), ...chartSearch(raw) }),
    component: lazyRouteComponent(() => import('./integrations'), 'IntegrationRoute'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/settings',
    validateSearch: auditSearch,
    component: lazyRouteComponent(() => import('./settings'), 'SettingsRoute'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/profile',
    validateSearch: tabSearch,
    component: lazyRouteComponent(() => import('./profile'), 'ProfileRoute'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/admin',
    validateSearch: (raw: Record<string, unknown>) => ({ ...auditSearch(raw), ...chartSearch(raw) }),
    component: lazyRouteComponent(() => import('./admin'), 'AdminRoute'),
  }),
] as const

const routeTree = root.addChildren([signIn, setup, invitation, reset, app.addChildren(pages)])

export function createAppRouter(client: QueryClient) {
  return createRouter({ routeTree, context: { client }, defaultPreload: 'intent', scrollRestoration: true })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>
  }
}
