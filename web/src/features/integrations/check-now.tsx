import { useState } from 'react'
import { hasCode } from '@/api/error'
import { useCheckNow } from '@/api/queries/health'
import { useRole } from '@/api/queries/session'
import type { HealthNow, IntegrationDetail } from '@/api/types'
import { HEALTH_WORDS } from '@/api/words'
import { Button } from '@/ui/button'
import { cx } from '@/ui/cx'
import { formatTook } from '@/ui/format'
import { CheckNowIcon } from '@/ui/icons'
import { useNow, useTimeText } from '@/ui/time'
import { toast } from '@/ui/toast'

/** The server allows one check a minute for each person and integration. */
const WAIT_DEFAULT_S = 60

interface CheckNowProps {
  integration: Pick<IntegrationDetail, 'id' | 'name' | 'enabled'>
  variant?: 'primary' | 'secondary'
  size?: 'sm' | 'md'
}

/** Checks at once, says what came of it, and after a refusal counts the seconds until the next may be asked for. */
export function CheckNow({ integration, variant = 'secondary', size = 'md' }: CheckNowProps) {
  const check = useCheckNow(integration.id)
  const { canTriage } = useRole()
  const [until, setUntil] = useState(0)
  const left = Number(useTimeText((now) => String(Math.max(0, Math.ceil((until - now) / 1000)))))
  const now = useNow()
  if (!canTriage) return null
  const run = () =>
    check.mutate(undefined, {
      onSuccess: ({ current, tookMs }) => toast(outcome(integration.name, current, tookMs)),
      onError: (error) => {
        const tooSoon = hasCode(error, 'rate_limited') || ('status' in error && error.status === 429)
        if (!tooSoon) return toast(`${integration.name} could not be checked. ${error.message}`)
        const wait = ('retryAfter' in error && Number(error.retryAfter)) || WAIT_DEFAULT_S
        setUntil(now() + wait * 1000)
        toast(`${integration.name} was checked less than a minute ago. The next check may be asked for in ${wait} s.`)
      },
    })
  return (
    <>
      <Button variant={variant} size={size} onPress={run} isDisabled={check.isPending || left > 0 || !integration.enabled}>
        <CheckNowIcon className={cx('size-3.5', check.isPending && 'spin')} />
        {check.isPending ? 'Checking' : left > 0 ? `Check again in ${left} s` : 'Check now'}
      </Button>
      <span role="status" className="sr-only">
        {check.isPending ? `Checking ${integration.name}` : ''}
      </span>
    </>
  )
}

function outcome(name: string, current: HealthNow, tookMs: number): string {
  const took = `checked in ${formatTook(tookMs)}`
  if (current.errorMessage) return `${name}, ${took}: ${HEALTH_WORDS[current.health].toLowerCase()}. ${current.errorMessage}`
  return `${name}, ${took}: all went well.`
}
