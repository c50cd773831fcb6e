import type { StreamState } from '@/api/events'
import type { Health } from '@/api/types'
import { HealthShape } from '@/ui/status'
import { useLive } from './live'

const WORDS: Record<StreamState, [shape: Health, word: string, title: string]> = {
  live: ['healthy', 'live', 'Events arrive as they happen.'],
  connecting: ['unknown', 'connecting', 'Opening the live stream.'],
  polling: ['degraded', 'polling', 'The live stream cannot be reached; everything is fetched again at intervals.'],
  offline: ['down', 'offline', 'This browser is offline. What you see is from before.'],
  'signed-out': ['unknown', 'signed out', 'Your session has ended.'],
}

/** Whether what is on screen is as of now. */
export function LiveIndicator() {
  const { state } = useLive()
  const [shape, word, title] = WORDS[state]
  return (
    <span role="status" title={title} className="inline-flex items-center gap-1.5 px-1 text-12 text-muted">
      <HealthShape health={shape} small />
      {word}
    </span>
  )
}
