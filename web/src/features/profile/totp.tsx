import { useState } from 'react'
import { useBeginTotp, useRemoveTotp, useRenewRecoveryCodes } from '@/api/queries/profile'
import type { Profile } from '@/api/types'
import { Button } from '@/ui/button'
import { Confirm } from '@/ui/dialog'
import { plural } from '@/ui/format'
import { Panel } from '@/ui/layout'
import { FormError } from '@/ui/states'
import { HealthShape } from '@/ui/status'
import { Ago } from '@/ui/time'
import { toast } from '@/ui/toast'
import { RecoveryCodes } from './recovery-codes'
import { TotpSetupDialog } from './totp-setup'

/** Fewer left than this, and new ones are called for. */
const FEW_CODES = 3

/** The authenticator app: a second proof besides the password. */
export function TotpPanel({ totp }: { totp: Profile['totp'] }) {
  const begin = useBeginTotp()
  return (
    <Panel id="authenticator" title="Authenticator app">
      {totp.enabled ? <On totp={totp} /> : <Off begin={begin} />}
      {/* Outside of both: it still shows the recovery codes when the authenticator is on. */}
      {begin.data && <TotpSetupDialog setup={begin.data} onClose={() => begin.reset()} />}
    </Panel>
  )
}

function Off({ begin }: { begin: ReturnType<typeof useBeginTotp> }) {
  return (
    <div className="flex flex-wrap items-center gap-3 p-4 text-13">
      <p className="min-w-0 flex-1 basis-64 text-pretty text-muted">
        Off. With it, signing in also asks for a code from your phone, so that a stolen password alone is of no use.
      </p>
      <Button variant="primary" isDisabled={begin.isPending} onPress={() => begin.mutate()}>
        Set up
      </Button>
      <FormError error={begin.error} />
    </div>
  )
}

function On({ totp }: { totp: Profile['totp'] }) {
  const renew = useRenewRecoveryCodes()
  const [renewing, setRenewing] = useState(false)
  const few = totp.recoveryCodesLeft < FEW_CODES
  return (
    <div className="flex flex-col gap-3 p-4 text-13">
      <p className="flex items-center gap-2">
        <HealthShape health="healthy" />
        <span>On{totp.since && <>, since <Ago at={totp.since} /></>}. Signing in asks for its code.</span>
      </p>
      <p className="flex items-start gap-2 text-muted">
        {few && <HealthShape health="degraded" className="mt-1" />}
        <span>
          {totp.recoveryCodesLeft === 0 ? 'No recovery code' : plural(totp.recoveryCodesLeft, 'recovery code')} left for when you do not have your phone.
          {few && ' Make new ones now.'}
        </span>
      </p>
      <div className="flex flex-wrap gap-2">
        <Button onPress={() => setRenewing(true)}>New recovery codes</Button>
        <SwitchOff />
      </div>
      <Confirm
        title="Make new recovery codes?"
        action="Make new codes"
        isOpen={renewing}
        isPending={renew.isPending}
        error={renew.error}
        onClose={() => setRenewing(false)}
        onConfirm={() => renew.mutate(undefined, { onSuccess: () => setRenewing(false) })}
      >
        The codes you have stop working at once.
      </Confirm>
      {renew.data && <RecoveryCodes codes={renew.data.recoveryCodes} onClose={() => renew.reset()} />}
    </div>
  )
}

function SwitchOff() {
  const remove = useRemoveTotp()
  const [asking, setAsking] = useState(false)
  return (
    <>
      <Button variant="danger" onPress={() => setAsking(true)}>
        Switch off
      </Button>
      <Confirm
        title="Switch off the authenticator?"
        action="Switch off"
        isOpen={asking}
        isPending={remove.isPending}
        error={remove.error}
        onClose={() => setAsking(false)}
        onConfirm={() =>
          remove.mutate(undefined, {
            onSuccess: () => {
              setAsking(false)
              toast('The authenticator is off: signing in asks for the password only.')
            },
          })
        }
      >
        Signing in then asks for the password only, and your recovery codes stop working. To switch it on again, you scan a new code.
      </Confirm>
    </>
  )
}
