import type { ReactNode } from 'react'
import { IconButton } from '@/ui/button'
import { CloseIcon } from '@/ui/icons'
import { HealthShape } from '@/ui/status'

/** A sentence above the page that stays until it is dismissed. */
export function Notice({ children, onDismiss }: { children: ReactNode; onDismiss: () => void }) {
  return (
    <div role="alert" className="flex items-center gap-3 border-b border-line bg-warn-wash py-1.5 pr-2 pl-4 text-13 md:px-6">
      <HealthShape health="degraded" />
      <p className="min-w-0 flex-1 break-words">{children}</p>
      <IconButton label="Dismiss" size="sm" onPress={onDismiss}>
        <CloseIcon className="size-3" />
      </IconButton>
    </div>
  )
}
