import { useNavigate } from '@tanstack/react-router'
import { failedSentence } from '@/features/shared/identity-provider'
import { keepPage } from '@/features/shared/url-state'
import { Notice } from './notice'

/** Somebody went to the identity provider from this page, and it did not work. */
export function FailedNotice({ code }: { code: string }) {
  const navigate = useNavigate()
  return <Notice onDismiss={() => void navigate(keepPage((before) => ({ ...before, failed: undefined }), true))}>{failedSentence(code)}</Notice>
}
