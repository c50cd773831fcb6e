import type { ReactNode } from 'react'
import { Button } from '@/ui/button'
import { CopyBox } from '@/ui/copy'
import { Dialog } from '@/ui/dialog'

interface ShownOnceProps {
  title: string
  value: string
  /** What it is, for the copy button: "invitation link". */
  label: string
  /** What to do with it, and until when. */
  children: ReactNode
  onClose: () => void
}

/** A link or key that cannot be shown again: only its fingerprint is kept. */
export function ShownOnce({ title, value, label, children, onClose }: ShownOnceProps) {
  return (
    <Dialog title={title} isOpen onClose={onClose}>
      <div className="flex flex-col gap-3 text-13">
        <p className="text-pretty text-muted">{children}</p>
        <CopyBox value={value} label={label} strong />
        <p className="text-12 text-muted">Shown this once: Linekeeper keeps a fingerprint only.</p>
        <Button variant="primary" className="self-end" onPress={onClose}>
          Done
        </Button>
      </div>
    </Dialog>
  )
}
