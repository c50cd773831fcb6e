import { AdminPage } from '@/features/admin/page'

export function AdminRoute() {
  return <AdminPage />
}
