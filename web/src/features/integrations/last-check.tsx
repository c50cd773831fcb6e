import type { HealthNow, IntegrationDetail } from '@/api/types'
import { Explanation } from '@/features/shared/explanation'
import { LinkButton } from '@/ui/button'
import { formatTook, plural } from '@/ui/format'
import { Panel } from '@/ui/layout'
import { Empty } from '@/ui/states'
import { HealthShape } from '@/ui/status'
import { Ago } from '@/ui/time'
import { CheckNow } from './check-now'
import { Ladder } from './ladder'

/** The last check rung by rung; where it failed, why, and the one button that helps. */
export function LastCheckPanel({ integration, current }: { integration: IntegrationDetail; current: HealthNow }) {
  return (
    <Panel id="last-check" title="Last check" aside={<Times current={current} />}>
      {current.lastCheckAt === null ? (
        <NotYet integration={integration} current={current} />
      ) : (
        <>
          {current.errorMessage && <Failure integration={integration} current={current} />}
          <Ladder current={current} />
          <Remarks current={current} />
        </>
      )}
    </Panel>
  )
}

function Times({ current: { lastCheckAt, nextCheckAt, responseTimeMs } }: { current: HealthNow }) {
  if (!lastCheckAt) return null
  return (
    <p className="text-12 text-muted">
      checked <Ago at={lastCheckAt} />
      {responseTimeMs !== null && ` in ${formatTook(responseTimeMs)}`}
      {nextCheckAt && (
        <>
          , next <Ago at={nextCheckAt} />
        </>
      )}
    </p>
  )
}

function NotYet({ integration, current }: { integration: IntegrationDetail; current: HealthNow }) {
  const settings = (
    <LinkButton to="/integrations/$id" params={{ id: integration.id }} search={{ tab: 'settings' } as never}>
      Settings
    </LinkButton>
  )
  if (!integration.enabled) {
    return (
      <Empty title="Not checked yet: it is disabled" actions={settings}>
        Enable it, and the first check follows at once.
      </Empty>
    )
  }
  if (!current.checked) {
    return (
      <Empty title="Not checked yet: checks are off" actions={settings}>
        Its health comes from its events alone. Where the provider can be asked, checks are switched on in the settings.
      </Empty>
    )
  }
  return (
    <Empty title="Not checked yet: the first check is on its way" actions={<CheckNow integration={integration} variant="primary" />}>
      {current.nextCheckAt ? (
        <>
          It is due <Ago at={current.nextCheckAt} />.
        </>
      ) : (
        'It is due any moment.'
      )}
    </Empty>
  )
}

function Failure({ integration, current }: { integration: IntegrationDetail; current: HealthNow }) {
  const { explanation, consecutiveFailures } = current
  return (
    <div className="flex flex-col gap-3 border-b border-line p-4">
      <p className="flex items-start gap-2 text-14 font-medium">
        <HealthShape health="down" className="mt-1" />
        <span className="min-w-0">
          <span className="block text-pretty">{explanation?.title ?? current.errorMessage}</span>
          <span className="block text-12 font-normal text-muted">
            {explanation && `${current.errorMessage} `}
            {current.errorCode && <code className="font-mono">{current.errorCode}</code>}
            {consecutiveFailures > 1 && ` ${plural(consecutiveFailures, 'check')} in a row failed.`}
          </span>
        </span>
      </p>
      {explanation && <Explanation classification={explanation} headings="h3" />}
      <p>
        <Help integration={integration} current={current} />
      </p>
    </div>
  )
}

/** The rungs that only a change of ours can mend, unless it passes by itself. */
const OURS = new Set(['dns', 'tls', 'credential', 'scopes', 'capability'])

/** The one button that helps. */
function Help({ integration, current }: { integration: IntegrationDetail; current: HealthNow }) {
  const rung = current.ladder.find((step) => !step.ok)?.rung ?? ''
  const auth = rung === 'credential' || rung === 'scopes' || current.explanation?.category === 'auth'
  const ours = auth || current.explanation?.category === 'configuration' || (OURS.has(rung) && current.explanation?.transient === false)
  if (!ours) return <CheckNow integration={integration} variant="primary" />
  return (
    <LinkButton to="/integrations/$id" params={{ id: integration.id }} search={{ tab: 'settings' } as never} variant="primary">
      {auth ? 'Change the credential' : 'Change the settings'}
    </LinkButton>
  )
}

/** What went well and still deserves a word. */
function Remarks({ current: { warnings, notes } }: { current: HealthNow }) {
  if (warnings.length + notes.length === 0) return null
  return (
    <ul aria-label="Remarks" className="flex flex-col gap-1.5 border-t border-line px-4 py-3 text-13">
      {warnings.map((code) => (
        <li key={code} className="flex items-start gap-2">
          <HealthShape health="degraded" className="mt-1" label />
          <span>
            {sentence(code)} <code className="font-mono text-12 text-muted">{code}</code>
          </span>
        </li>
      ))}
      {notes.map((note) => (
        <li key={note} className="pl-5 text-pretty text-muted">
          {note}
        </li>
      ))}
    </ul>
  )
}

const sentence = (code: string) => {
  const words = code.replaceAll('_', ' ')
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`
}
