import type { DownNotice } from './live'

/** Browsers on plain http have no notifications. */
export const notificationState = (): NotificationPermission | 'missing' => ('Notification' in globalThis ? Notification.permission : 'missing')

/** Tells somebody who is looking elsewhere. The tag makes one of what several tabs would say. */
export function notify({ id, name, reason }: DownNotice) {
  if (notificationState() !== 'granted' || document.visibilityState === 'visible') return
  const notification = new Notification(`${name} is down`, { body: reason, tag: `down-${id}`, icon: '/favicon.svg' })
  notification.addEventListener('click', () => {
    globalThis.focus()
    globalThis.location.assign(`/integrations/${encodeURIComponent(id)}`)
  })
}
