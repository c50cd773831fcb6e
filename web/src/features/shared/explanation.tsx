import type { Classification } from '@/api/types'
import { CATEGORY_WORDS } from '@/api/words'
import { ExternalLink } from '@/ui/link'
import { Tag } from '@/ui/layout'

const SOURCE_WORDS: Record<Classification['source'], string> = {
  rule: 'by rule',
  pin: 'corrected by a person',
}

interface ExplanationProps {
  classification: Classification
  /** One below the heading it stands under. */
  headings?: 'h3' | 'h4'
}

/** Why it failed and what to do: cause, numbered fix, what it touches, what it costs. */
export function Explanation({ classification, headings: Heading = 'h4' }: ExplanationProps) {
  const steps = classification.fixSteps.length > 0 ? classification.fixSteps : [classification.suggestedFix]
  return (
    <div className="flex flex-col gap-3 text-13">
      <p className="text-pretty">{classification.cause}</p>
      <section>
        <Heading className="mb-1 text-12 font-semibold text-muted">What to do</Heading>
        <ol className="flex list-decimal flex-col gap-1 pl-5 marker:text-muted">
          {steps.map((step) => (
            <li key={step} className="pl-0.5 text-pretty">
              {step}
            </li>
          ))}
        </ol>
      </section>
      <section>
        <Heading className="mb-0.5 text-12 font-semibold text-muted">Business impact</Heading>
        <p className="text-pretty">{classification.businessImpact}</p>
      </section>
      {classification.affectedData.length > 0 && (
        <section>
          <Heading className="mb-1 text-12 font-semibold text-muted">Affected data</Heading>
          <ul className="flex flex-wrap gap-1">
            {classification.affectedData.map((data) => (
              <li key={data} className="max-w-full">
                <Tag>{data}</Tag>
              </li>
            ))}
          </ul>
        </section>
      )}
      <Provenance classification={classification} />
    </div>
  )
}

function Provenance({ classification }: { classification: Classification }) {
  const percent = Math.round(classification.confidence * 100)
  return (
    <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-12 text-muted">
      <span>{CATEGORY_WORDS[classification.category]}</span>
      <span>{classification.transient ? 'May pass by itself' : 'Will not pass by itself'}</span>
      <span>
        {percent} % sure, {SOURCE_WORDS[classification.source]}
      </span>
      <code className="font-mono">{classification.code}</code>
      {classification.documentationUrl && <ExternalLink href={classification.documentationUrl}>Documentation</ExternalLink>}
    </p>
  )
}
