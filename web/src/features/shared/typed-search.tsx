import { useEffect, useState } from 'react'
import { SearchField } from '@/ui/field'

/** A pause in typing that starts a search. */
const TYPING_MS = 250

interface TypedSearchProps {
  label: string
  placeholder: string
  value: string
  onChange: (value: string) => void
  className?: string
  id?: string
}

/** Shows each letter at once and searches when the typing pauses. */
export function TypedSearch({ value, onChange, ...props }: TypedSearchProps) {
  const [text, setText] = useState(value)
  const [seen, setSeen] = useState(value)
  if (seen !== value) {
    setSeen(value)
    setText(value)
  }
  useEffect(() => {
    if (text === value) return
    const timer = setTimeout(() => onChange(text), TYPING_MS)
    return () => clearTimeout(timer)
  })
  return <SearchField {...props} value={text} onChange={setText} />
}
