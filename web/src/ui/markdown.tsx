import { Fragment, type ReactNode } from 'react'
import { ExternalLink } from './link'

/**
 * The Markdown of providers' help: headings, paragraphs, lists, `code`, **strong** and links.
 * It becomes React elements, never HTML text, so nothing in it can run.
 */
export function Markdown({ text }: { text: string }) {
  return (
    <div className="flex flex-col gap-2 text-13 text-pretty text-muted">
      {blocks(text).map((block, index) => (
        <Fragment key={index}>{renderBlock(block)}</Fragment>
      ))}
    </div>
  )
}

type Block = { kind: 'heading'; text: string } | { kind: 'text'; text: string } | { kind: 'list'; ordered: boolean; items: string[] }

const LIST_ITEM = /^\s*(?:([-*])|(\d+)[.)])\s+(.*)$/

function blocks(text: string): Block[] {
  const found: Block[] = []
  let open = false
  for (const line of text.split('\n')) {
    const last = found.at(-1)
    const item = LIST_ITEM.exec(line)
    if (line.trim() === '') open = false
    else if (line.startsWith('#')) {
      found.push({ kind: 'heading', text: line.replace(/^#+\s*/, '') })
      open = false
    } else if (item) {
      const body = item[3] ?? ''
      if (open && last?.kind === 'list') last.items.push(body)
      else found.push({ kind: 'list', ordered: item[2] !== undefined, items: [body] })
      open = true
    } else if (open && last?.kind === 'list') last.items[last.items.length - 1] += ` ${line.trim()}`
    else if (open && last?.kind === 'text') last.text += ` ${line.trim()}`
    else {
      found.push({ kind: 'text', text: line.trim() })
      open = true
    }
  }
  return found
}

function renderBlock(block: Block): ReactNode {
  if (block.kind === 'heading') return <h3 className="mt-1 text-13 font-semibold text-ink">{inline(block.text)}</h3>
  if (block.kind === 'text') return <p>{inline(block.text)}</p>
  const List = block.ordered ? 'ol' : 'ul'
  return (
    <List className={block.ordered ? 'list-decimal pl-5' : 'list-disc pl-5'}>
      {block.items.map((item, index) => (
        <li key={index}>{inline(item)}</li>
      ))}
    </List>
  )
}

const INLINE = /(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)\s]+\))/

function inline(text: string): ReactNode[] {
  return text.split(INLINE).map((part, index) => {
    if (part.startsWith('`')) return <code key={index} className="rounded-sm bg-n3 px-1 font-mono text-12 text-ink">{part.slice(1, -1)}</code>
    if (part.startsWith('**')) return <strong key={index} className="font-medium text-ink">{part.slice(2, -2)}</strong>
    const link = /^\[([^\]]+)\]\(([^)\s]+)\)$/.exec(part)
    return link ? <ExternalLink key={index} href={link[2] ?? ''}>{link[1]}</ExternalLink> : part
  })
}
