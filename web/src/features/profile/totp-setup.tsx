import { useState } from 'react'
import { useConfirmTotp } from '@/api/queries/profile'
import type { TotpSetup } from '@/api/types'
import { CodeField } from '@/features/shared/code-field'
import { Button } from '@/ui/button'
import { CopyBox } from '@/ui/copy'
import { Dialog, DialogActions } from '@/ui/dialog'
import { FormError } from '@/ui/states'
import { toast } from '@/ui/toast'
import { RecoveryCodes } from './recovery-codes'

/** Scan, confirm with the first code, keep the recovery codes. */
export function TotpSetupDialog({ setup, onClose }: { setup: TotpSetup; onClose: () => void }) {
  const confirm = useConfirmTotp()
  const [code, setCode] = useState('')
  if (confirm.data) {
    const done = () => {
      onClose()
      toast('The authenticator is on: signing in asks for its code from now on.')
    }
    return <RecoveryCodes codes={confirm.data.recoveryCodes} onClose={done} />
  }
  return (
    <Dialog title="Set up the authenticator" isOpen onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          confirm.mutate(code.trim())
        }}
      >
        <p className="text-13 text-pretty text-muted">Scan this with an authenticator app on your phone, or type the secret into it.</p>
        <img
          src={`data:image/svg+xml;utf8,${encodeURIComponent(setup.qrSvg)}`}
          alt="QR code that holds the secret written below"
          // White in both themes: cameras want dark on light.
          className="size-44 self-center rounded-md border border-line bg-white p-2"
        />
        <div className="flex flex-col gap-1">
          <p className="text-13 font-medium">Secret</p>
          <CopyBox value={setup.secret} label="secret" />
        </div>
        <CodeField value={code} onChange={setCode} />
        <FormError error={confirm.error} />
        <DialogActions>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" isDisabled={confirm.isPending}>
            Switch on
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
