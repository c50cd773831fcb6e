import { Button, buttonClass } from '@/ui/button'
import { CopyButton } from '@/ui/copy'
import { Dialog } from '@/ui/dialog'

/** Shown once: each stands in for the phone once. */
export function RecoveryCodes({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  const text = codes.join('\n')
  const file = `Linekeeper recovery codes. Each works once, in place of the authenticator.\n\n${text}\n`
  return (
    <Dialog title="Keep your recovery codes" isOpen onClose={onClose}>
      <div className="flex flex-col gap-4 text-13">
        <p className="text-pretty text-muted">
          Without your phone, one of these lets you in; each works once. Keep them where you keep passwords. They are not shown again.
        </p>
        <div className="flex items-start gap-1 rounded-md border border-accent bg-canvas py-1 pr-1 pl-3">
          <ul aria-label="Recovery codes" className="grid flex-1 grid-cols-2 gap-x-4 gap-y-1 py-2 font-mono text-13">
            {codes.map((code) => (
              <li key={code} className="select-all">
                {code}
              </li>
            ))}
          </ul>
          <CopyButton text={text} label="Copy recovery codes" />
        </div>
        <div className="flex flex-wrap justify-end gap-2">
          <a href={`data:text/plain;charset=utf-8,${encodeURIComponent(file)}`} download="linekeeper-recovery-codes.txt" className={buttonClass()}>
            Download
          </a>
          <Button variant="primary" onPress={onClose}>
            I have kept them
          </Button>
        </div>
      </div>
    </Dialog>
  )
}
