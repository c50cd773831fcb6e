import { ProfilePage } from '@/features/profile/page'

export function ProfileRoute() {
  return <ProfilePage />
}
