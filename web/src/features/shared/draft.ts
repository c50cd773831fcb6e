import { useState } from 'react'

/**
 * What a person is typing over a row of the server. Untouched, it follows the row; from the first letter on it
 * keeps the version it was filled from, so that saving over somebody else's change is refused and never silent.
 */
export function useDraft<R extends { version: number }, F extends object>(row: R, fieldsOf: (row: R) => F) {
  const [draft, setDraft] = useState<{ fields: F; version: number } | null>(null)
  const fields = draft?.fields ?? fieldsOf(row)
  return {
    fields,
    version: draft?.version ?? row.version,
    touched: draft !== null,
    set: (change: Partial<F>) => setDraft({ fields: { ...fields, ...change }, version: draft?.version ?? row.version }),
    /** Forgets what was typed; the fields show the row again. */
    reset: () => setDraft(null),
  }
}
