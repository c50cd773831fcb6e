import { url } from '@/api/client'

/** Where the browser goes to sign in, to confirm, or to link an account at the identity provider. */
export const identityProviderStart = (purpose: 'sign_in' | 'sudo' | 'link', next: string) => url('/api/oidc/start', { purpose, next })

const WORDS: Record<string, string> = {
  oidc_refused: 'The identity provider did not sign you in. Try again, or use your password.',
  oidc_unknown_person: 'No account here belongs to that sign-in. If you have a password, sign in with it and link the account in your profile; else ask an admin for an invitation.',
  oidc_unverified_email: 'The identity provider has not verified your e-mail address. Verify it there, then try again.',
  oidc_disabled: 'Your account here is disabled. Ask an operator of this installation to enable it.',
  oidc_expired: 'Coming back from the identity provider took too long. Try again.',
  oidc_failed: 'The identity provider could not be reached, or it gave an answer we do not trust. Try again; if it stays, an operator finds more in the server’s log.',
}

/** What a `failed=CODE` in the address means, and what to do. */
export const failedSentence = (code: string): string => WORDS[code] ?? `Signing in did not work (${code}). Try again, or use your password.`
