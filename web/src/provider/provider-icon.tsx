import { useState } from 'react'
import { cx } from '@/ui/cx'

interface ProviderIconProps {
  provider: string
  /** The provider's or integration's name, for the letter shown when there is no icon. */
  name: string
  size?: 'sm' | 'md' | 'lg'
}

const TILE = {
  sm: 'size-5 rounded-sm p-0.5 text-12',
  md: 'size-7 rounded-md p-1 text-13',
  lg: 'size-9 rounded-md p-1.5 text-16',
}

/**
 * A provider's icon on a white tile, so that any logo can be read in both themes. It is loaded as an
 * image: whatever the SVG holds cannot run. Always decoration; the name stands beside it.
 */
export function ProviderIcon({ provider, name, size = 'sm' }: ProviderIconProps) {
  const [broken, setBroken] = useState(false)
  return (
    <span
      aria-hidden="true"
      className={cx(
        'inline-flex shrink-0 items-center justify-center border border-line bg-white font-semibold text-[#484b59]',
        TILE[size],
      )}
    >
      {broken ? (
        name.charAt(0).toUpperCase()
      ) : (
        <img
          src={`/api/providers/${encodeURIComponent(provider)}/icon.svg`}
          alt=""
          className="size-full object-contain"
          onError={() => setBroken(true)}
        />
      )}
    </span>
  )
}
