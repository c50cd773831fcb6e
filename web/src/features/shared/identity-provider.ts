import { url } from '@/api/client'

/** Where the browser goes to sign in, to confirm, or to link an account at the identity provider. */
export const identityProviderStart = (purpose: 'sign_in' | 'sudo' | 'link', next: string) => url('/api/oidc/start', { purpose, next })

const WORDS: Record<string, string> = {
  oidc_refused: 'The identity provider did not sign you in. Try again, or use your password.',
  oidc_unknown_person: 'No account here belongs to that sign-in. If you have a password, sign in with it and link the account in your profile; else ask an admin for an invitation.',
  oidc_unverified_email: 'The identity provider has not verified your e-mail address. Verify it there, then try again.',
  oidc_disabled: 'Your account here is disabled. Ask an operator of this installation to enable it.',
  oidc_expired: 'Coming back from the identity provider took too long. Try again.',
  connect_refused: 'The provider did not let us in, or you said no. Nothing was changed. Choose Reconnect to try again.',
  connect_other_account: 'You signed in to another account than the one this integration is connected to. Nothing was changed. Reconnect with the same account, or add an integration for the other one.',
  connect_unverified: 'The provider did not say whose account it is, so nothing was changed. Try again in a few minutes.',
  connect_misconfigured: 'The provider refuses the client in the settings. Compare client ID, client secret and redirect address with those at the provider, then connect again.',
  connect_unavailable: 'The provider did not answer. Nothing was changed. Try again in a few minutes.',
  connect_forbidden: 'Your role does not allow connecting this integration. Ask an admin of the project.',
  connect_expired: 'Coming back from the provider took longer than ten minutes, or the way there was used before. Choose Reconnect to begin again.',
  connect_failed: 'Connecting failed on our side. Try again; if it stays, an operator finds more in the server’s log.',
  oidc_failed: 'The identity provider could not be reached, or it gave an answer we do not trust. Try again; if it stays, an operator finds more in the server’s log.',
}

/** What a `failed=CODE` in the address means, and what to do. */
export const failedSentence = (code: string): string => WORDS[code] ?? `Signing in did not work (${code}). Try again, or use your password.`
