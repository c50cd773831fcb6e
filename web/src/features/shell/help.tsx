import type { ReactNode } from 'react'
import { Dialog } from '@/ui/dialog'
import { Kbd } from '@/ui/layout'
import { HealthShape } from '@/ui/status'
import { HEALTH_ORDER, HEALTH_WORDS } from '@/api/words'
import { usePlaces } from './nav'

const KEYS: [keys: string[], what: string][] = [
  [['⌘', 'K'], 'Go to a page, integration or problem'],
  [['/'], 'Search on this page'],
  [['j'], 'Next row'],
  [['k'], 'Previous row'],
  [['Enter'], 'Open the row'],
  [['Esc'], 'Close, back'],
  [['a'], 'Acknowledge the problem'],
  [['r'], 'Resolve the problem'],
  [['?'], 'This help'],
]

export function Help({ onClose }: { onClose: () => void }) {
  const places = usePlaces()
  return (
    <Dialog title="Keyboard and signs" isOpen onClose={onClose}>
      <div className="grid gap-6 text-13 sm:grid-cols-2">
        <Section title="Anywhere">
          {KEYS.map(([keys, what]) => (
            <Row key={what} keys={keys} what={what} />
          ))}
        </Section>
        <div className="flex flex-col gap-6">
          <Section title="Go to">
            {places.map((place) => (
              <Row key={place.to} keys={['g', place.key]} what={place.label} />
            ))}
            <Row keys={['g', 'u']} what="Your profile" />
          </Section>
          <section>
            <h3 className="mb-2 font-semibold">Signs</h3>
            <ul className="flex flex-col gap-1.5">
              {HEALTH_ORDER.map((health) => (
                <li key={health} className="flex items-center gap-2">
                  <HealthShape health={health} /> {HEALTH_WORDS[health]}
                </li>
              ))}
            </ul>
          </section>
        </div>
      </div>
    </Dialog>
  )
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3 className="mb-2 font-semibold">{title}</h3>
      <dl className="grid grid-cols-[4.5rem_1fr] items-center gap-y-1.5">{children}</dl>
    </section>
  )
}

function Row({ keys, what }: { keys: string[]; what: string }) {
  return (
    <>
      <dt className="flex gap-1">
        {keys.map((key) => (
          <Kbd key={key}>{key}</Kbd>
        ))}
      </dt>
      <dd className="text-muted">{what}</dd>
    </>
  )
}
