import { useState } from 'react'
import { hasCode } from '@/api/error'
import { Button } from '@/ui/button'
import { FormError } from '@/ui/states'

interface SaveErrorProps {
  error: Error | null
  /** Fetches the row as it is now and fills the form with it. */
  onNewest: () => Promise<unknown>
}

/** Why saving was refused; when somebody else was faster, who changed what, and the way on. */
export function SaveError({ error, onNewest }: SaveErrorProps) {
  const [loading, setLoading] = useState(false)
  if (!hasCode(error, 'stale_version')) return <FormError error={error} />
  const load = () => {
    setLoading(true)
    void onNewest().finally(() => setLoading(false))
  }
  return (
    <div className="flex flex-wrap items-center gap-2">
      <FormError error={error} />
      <Button size="sm" isDisabled={loading} onPress={load}>
        {loading ? 'Loading' : 'Load the newest'}
      </Button>
    </div>
  )
}
