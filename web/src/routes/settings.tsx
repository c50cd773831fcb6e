import { SettingsPage } from '@/features/settings/page'

export function SettingsRoute() {
  return <SettingsPage />
}
