import { useNavigate } from '@tanstack/react-router'
import { useSetup } from '@/api/queries/session'
import { LinkButton } from '@/ui/button'
import { AccountForm } from './account-form'
import { Frame } from './frame'
import { forgetLink, useLinkToken } from './link-token'

/** Behind a one-time link: makes an account, the very first one its owner. */
export function SetupPage({ address }: { address: string | undefined }) {
  const token = useLinkToken('setup', address)
  const setup = useSetup()
  const navigate = useNavigate()
  if (!token) {
    return (
      <Frame title="This link is incomplete" lead="Open the whole one-time link that the server printed, from http to its last character.">
        <LinkButton to="/sign-in">Sign in instead</LinkButton>
      </Frame>
    )
  }
  return (
    <Frame title="Create your account" lead="You become the owner of this installation.">
      <AccountForm
        action="Create account"
        pending={setup.isPending}
        error={setup.error}
        onSubmit={(account) =>
          setup.mutate(
            { token, ...account },
            {
              onSuccess: () => {
                forgetLink('setup')
                void navigate({ to: '/' })
              },
            },
          )
        }
      />
    </Frame>
  )
}
