import type { ReactNode } from 'react'
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components'
import { Button, IconButton } from './button'
import { cx } from './cx'
import { CloseIcon } from './icons'
import { FormError } from './states'

const OVERLAY = 'fixed inset-0 z-40 bg-[rgb(10_11_16/0.4)]'

interface DialogProps {
  title: ReactNode
  isOpen: boolean
  onClose: () => void
  children: ReactNode
  role?: 'dialog' | 'alertdialog'
}
export function Dialog({ title, isOpen, onClose, children, role = 'dialog' }: DialogProps) {
  return (
    <ModalOverlay isOpen={isOpen} onOpenChange={(open) => open || onClose()} isDismissable className={cx(OVERLAY, 'flex items-start justify-center p-2 sm:p-4 sm:pt-[12dvh]')}>
      <Modal className="w-full max-w-lg rounded-lg bg-surface shadow-float">
        <AriaDialog role={role} className="flex max-h-[calc(100dvh-1rem)] flex-col outline-none sm:max-h-[76dvh]">
          <div className="flex items-center justify-between gap-2 border-b border-line py-2 pr-2 pl-4">
            <Heading slot="title" className="text-14 font-semibold">
              {title}
            </Heading>
            <IconButton label="Close" size="sm" onPress={onClose}>
              <CloseIcon />
            </IconButton>
          </div>
          <div className="overflow-y-auto p-4 scroll-thin">{children}</div>
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}

/** The row of buttons that ends a dialog: always in sight, however long what is above it. */
export function DialogActions({ children }: { children: ReactNode }) {
  return <div className="sticky -bottom-4 z-10 -mx-4 -mb-4 flex rounded-b-lg flex-wrap justify-end gap-2 border-t border-line bg-surface px-4 py-3">{children}</div>
}

interface DrawerProps {
  label: string
  onClose: () => void
  children: ReactNode
}
/** A sheet from the right edge, whole width on a phone. Shown while mounted. */
export function Drawer({ label, onClose, children }: DrawerProps) {
  return (
    <ModalOverlay isOpen onOpenChange={(open) => open || onClose()} isDismissable className={cx(OVERLAY, 'flex justify-end')}>
      <Modal className="h-dvh w-full max-w-2xl border-l border-line bg-surface shadow-float slide-in">
        <AriaDialog aria-label={label} className="flex h-full flex-col outline-none">
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}

interface ConfirmProps {
  title: string
  /** Names what is lost. */
  children: ReactNode
  action: string
  isOpen: boolean
  isPending?: boolean
  error?: Error | null
  onConfirm: () => void
  onClose: () => void
}
export function Confirm({ title, children, action, isOpen, isPending, error, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog title={title} isOpen={isOpen} onClose={onClose} role="alertdialog">
      <div className="flex flex-col gap-4 text-13">
        <div className="text-pretty text-muted">{children}</div>
        <FormError error={error ?? null} />
        <DialogActions>
          <Button onPress={onClose}>Cancel</Button>
          <Button variant="danger" onPress={onConfirm} isDisabled={isPending ?? false}>
            {action}
          </Button>
        </DialogActions>
      </div>
    </Dialog>
  )
}
