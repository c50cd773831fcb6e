import type { ReactNode } from 'react'
import { useTitle } from '@/ui/title'

/** The card of the two pages that need no session. */
export function Frame({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  useTitle(title)
  return (
    <main className="flex min-h-dvh flex-col items-center px-4 pt-[14dvh] pb-8">
      <div className="w-full max-w-sm">
        <p className="mb-6 flex items-center justify-center gap-2 text-16 font-semibold">
          <img src="/favicon.svg" alt="" className="size-6" />
          Linekeeper
        </p>
        <div className="rounded-lg border border-line bg-surface p-6">
          <h1 className="text-16 font-semibold">{title}</h1>
          {lead && <p className="mt-1 text-13 text-pretty text-muted">{lead}</p>}
          <div className="mt-4">{children}</div>
        </div>
      </div>
    </main>
  )
}
