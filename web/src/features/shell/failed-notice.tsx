import { useNavigate } from '@tanstack/react-router'
import { failedSentence } from '@/features/shared/identity-provider'
import { keepPage, usePageSearch } from '@/features/shared/url-state'
import { IconButton } from '@/ui/button'
import { CloseIcon } from '@/ui/icons'
import { HealthShape } from '@/ui/status'

/** Somebody went to the identity provider from this page, and it did not work. */
export function FailedNotice() {
  const [{ failed }] = usePageSearch()
  const navigate = useNavigate()
  if (!failed) return null
  return (
    <div role="alert" className="flex items-center gap-3 border-b border-line bg-warn-wash py-1.5 pr-2 pl-4 text-13 md:px-6">
      <HealthShape health="degraded" />
      <p className="min-w-0 flex-1">{failedSentence(failed)}</p>
      <IconButton label="Dismiss" size="sm" onPress={() => void navigate(keepPage((before) => ({ ...before, failed: undefined }), true))}>
        <CloseIcon className="size-3" />
      </IconButton>
    </div>
  )
}
