import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'

type Link = 'invitation' | 'reset' | 'setup'
const keyOf = (link: Link) => `lk.link.${link}`

/**
 * The token of a one-time link. It leaves the address bar at once (histories and screenshots keep addresses) and
 * stays in this tab, so that a reload, or signing in on the way, does not lose it.
 */
export function useLinkToken(link: Link, address: string | undefined): string | null {
  const navigate = useNavigate()
  const [token] = useState(() => address ?? sessionStorage.getItem(keyOf(link)))
  useEffect(() => {
    if (address === undefined) return
    sessionStorage.setItem(keyOf(link), address)
    void navigate({ to: '.', search: {} as never, replace: true })
  }, [address, link, navigate])
  return token
}

/** The link has done its work, or never will. */
export const forgetLink = (link: Link) => sessionStorage.removeItem(keyOf(link))
