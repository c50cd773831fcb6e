import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { ProviderInfo } from '@/api/types'
import { ProviderIcon } from '@/provider/provider-icon'
import { Button } from '@/ui/button'
import { SearchField } from '@/ui/field'
import { plural } from '@/ui/format'
import { Panel } from '@/ui/layout'
import { Empty } from '@/ui/states'

/** The providers this installation knows, with a search. */
export function Catalogue({ providers }: { providers: ProviderInfo[] }) {
  const [text, setText] = useState('')
  const needle = text.trim().toLowerCase()
  const shown = providers
    .filter((provider) => `${provider.name} ${provider.key} ${provider.summary}`.toLowerCase().includes(needle))
    .toSorted((a, b) => a.name.localeCompare(b.name))
  return (
    <Panel id="catalogue" title={plural(shown.length, 'provider')} aside={<SearchField id="search" autoFocus label="Search providers" placeholder="Search providers" value={text} onChange={setText} className="w-64" />}>
      {shown.length === 0 ? (
        <Empty title={`No provider matches "${text}"`} actions={<Button onPress={() => setText('')}>Show all</Button>}>
          Any service that signs its webhooks in a standard way can use a generic provider.
        </Empty>
      ) : (
        <ul className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,16rem),1fr))] gap-2 p-3">
          {shown.map((provider) => (
            <li key={provider.key} className="min-w-0">
              <Link
                to="/integrations/new"
                search={{ provider: provider.key }}
                data-row
                className="flex h-full items-start gap-3 rounded-md border border-line p-3 hover:border-line-strong hover:bg-n3"
              >
                <ProviderIcon provider={provider.key} name={provider.name} size="md" />
                <span className="min-w-0">
                  <span className="block truncate text-13 font-semibold">{provider.name}</span>
                  <span className="line-clamp-2 text-12 text-muted">{provider.summary}</span>
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}
