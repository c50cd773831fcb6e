import { useState } from 'react'
import { Button } from '@/ui/button'
import { BellIcon } from '@/ui/icons'
import { notificationState } from './notifications'

/** Offered while something is down, and only until the browser has been answered. */
export function NotifyOffer() {
  const [state, setState] = useState(notificationState)
  if (state !== 'default') return null
  return (
    <p className="flex flex-wrap items-center gap-3 border-b border-line bg-surface py-1.5 pr-2 pl-4 text-12 text-muted md:px-6">
      <span className="min-w-0 flex-1 basis-52">Be told by this browser when something goes down while you look elsewhere.</span>
      <Button size="sm" onPress={() => void Notification.requestPermission().then(setState)}>
        <BellIcon className="size-3.5" /> Allow notifications
      </Button>
    </p>
  )
}
