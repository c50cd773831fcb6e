import { useParams } from '@tanstack/react-router'
import { ProblemsPage } from '@/features/problems/page'

export function ProblemsRoute() {
  return <ProblemsPage />
}

export function ProblemRoute() {
  const { id } = useParams({ from: '/app/problems/$id' })
  return <ProblemsPage selectedId={id} />
}
