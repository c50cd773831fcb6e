import { useEffect, useState } from 'react'
import { IconButton } from './button'
import { cx } from './cx'
import { CheckIcon, CopyIcon } from './icons'

const CONFIRMED_MS = 1600

/** The clipboard API needs a secure context; over plain http a selection and the old command do. */
export async function copyText(text: string) {
  if (globalThis.isSecureContext) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  area.className = 'sr-only'
  document.body.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}

/** Copies a text and says so. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), CONFIRMED_MS)
    return () => clearTimeout(timer)
  }, [copied])
  return (
    <>
      <IconButton label={label} size="sm" onPress={() => void copyText(text).then(() => setCopied(true))}>
        {copied ? <CheckIcon className="size-3.5 text-ok" /> : <CopyIcon className="size-3.5" />}
      </IconButton>
      <span role="status" className="sr-only">
        {copied ? 'Copied' : ''}
      </span>
    </>
  )
}

/** A value people carry elsewhere: an address, a secret, an id. */
export function CopyBox({ value, label, strong }: { value: string; label: string; strong?: boolean }) {
  return (
    <div className={cx('flex min-w-0 items-center gap-1 rounded-md border bg-canvas py-0.5 pr-0.5 pl-2.5', strong ? 'border-accent' : 'border-line-strong')}>
      <code className="min-w-0 flex-1 py-1 font-mono text-12 break-all select-all">{value}</code>
      <CopyButton text={value} label={`Copy ${label}`} />
    </div>
  )
}
