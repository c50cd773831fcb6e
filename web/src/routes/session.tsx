import { useSearch } from '@tanstack/react-router'
import { SetupPage } from '@/features/session/setup'
import { SignInPage } from '@/features/session/sign-in'

export function SignInRoute() {
  return <SignInPage next={useSearch({ from: '/sign-in' }).next} />
}

export function SetupRoute() {
  return <SetupPage token={useSearch({ from: '/setup' }).token} />
}
