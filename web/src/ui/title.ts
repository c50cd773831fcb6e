import { useEffect } from 'react'

const PRODUCT = 'Linekeeper'

/** Names the page in the browser's tab and history. */
export function useTitle(title: string) {
  useEffect(() => {
    document.title = `${title} · ${PRODUCT}`
    return () => void (document.title = PRODUCT)
  }, [title])
}
