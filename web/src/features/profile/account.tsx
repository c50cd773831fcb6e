import { useChangeProfile } from '@/api/queries/profile'
import type { Profile } from '@/api/types'
import { useDraft } from '@/features/shared/draft'
import { SaveError } from '@/features/shared/save-error'
import { Button } from '@/ui/button'
import { TextField } from '@/ui/field'
import { Panel } from '@/ui/layout'
import { toast } from '@/ui/toast'

/** Name and address. */
export function AccountPanel({ profile, refetch }: { profile: Profile; refetch: () => Promise<unknown> }) {
  const change = useChangeProfile()
  const draft = useDraft(profile, ({ user }) => ({ name: user.name }))
  return (
    <Panel id="account" title="Account">
      <form
        className="flex flex-col gap-4 p-4"
        onSubmit={(event) => {
          event.preventDefault()
          change.mutate(
            { name: draft.fields.name.trim(), version: draft.version },
            {
              onSuccess: () => {
                draft.reset()
                toast('Your name is saved.')
              },
            },
          )
        }}
      >
        <TextField label="Name" name="name" autoComplete="name" hint="Others see it beside what you do." value={draft.fields.name} onChange={(name) => draft.set({ name })} isRequired maxLength={120} />
        <div className="flex flex-col gap-1">
          <p className="text-13 font-medium">Email</p>
          <p className="text-14 break-words">{profile.user.email}</p>
          <p className="text-12 text-muted">You sign in with it. It cannot be changed here.</p>
        </div>
        <SaveError
          error={change.error}
          onNewest={async () => {
            await refetch()
            draft.reset()
            change.reset()
          }}
        />
        <Button type="submit" variant="primary" className="self-end" isDisabled={change.isPending || !draft.touched}>
          Save
        </Button>
      </form>
    </Panel>
  )
}
