/**
 * For what the server shows only after a fresh proof of who is there: it is asked for when somebody goes to it,
 * never by itself, so that no question pops up on returning to a tab or again after it was declined.
 */
export const GUARDED = { refetchOnWindowFocus: false, refetchOnReconnect: false, retryOnMount: false } as const
