import { useSearch } from '@tanstack/react-router'
import { InvitationPage } from '@/features/session/invitation'
import { ResetPage } from '@/features/session/reset'
import { SetupPage } from '@/features/session/setup'
import { SignInPage } from '@/features/session/sign-in'

export function SignInRoute() {
  const { next, failed } = useSearch({ from: '/sign-in' })
  return <SignInPage next={next} failed={failed} />
}

export function SetupRoute() {
  return <SetupPage address={useSearch({ from: '/setup' }).token} />
}

export function InvitationRoute() {
  return <InvitationPage address={useSearch({ from: '/invitation' }).token} />
}

export function ResetRoute() {
  return <ResetPage address={useSearch({ from: '/reset' }).token} />
}
