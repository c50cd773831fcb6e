import { useNavigate } from '@tanstack/react-router'
import { failedSentence } from '@/features/shared/identity-provider'
import { keepPage, usePageSearch } from '@/features/shared/url-state'
import { Notice } from './notice'

/** Somebody went to the identity provider from this page, and it did not work. */
export function FailedNotice() {
  const [{ failed }] = usePageSearch()
  const navigate = useNavigate()
  if (!failed) return null
  return <Notice onDismiss={() => void navigate(keepPage((before) => ({ ...before, failed: undefined }), true))}>{failedSentence(failed)}</Notice>
}
