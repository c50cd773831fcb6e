import type { ReactNode } from 'react'

interface IconProps {
  className?: string
}

function icon(paths: ReactNode) {
  return function Icon({ className = 'size-4' }: IconProps) {
    return (
      <svg
        viewBox="0 0 16 16"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
        className={`shrink-0 ${className}`}
      >
        {paths}
      </svg>
    )
  }
}

export const OverviewIcon = icon(<path d="M1.5 8h3l2-5 3 10 2-5h3" />)
export const ProblemsIcon = icon(
  <>
    <path d="M8 2 1.8 13h12.4L8 2Z" />
    <path d="M8 6.5v3M8 11.3v.1" />
  </>,
)
export const EventsIcon = icon(<path d="M2 4h1M5.5 4H14M2 8h1M5.5 8H14M2 12h1M5.5 12H14" />)
export const IntegrationsIcon = icon(
  <>
    <path d="M6.5 4.5 8 3a3 3 0 0 1 5 5l-1.5 1.500M9.5 11.5 8 13a3 3 0 0 1-5-5l1.5-1.5" />
    <path d="m6 10 4-4" />
  </>,
)
export const SettingsIcon = icon(
  <>
    <path d="M2 4.500h6M12 4.500h2M2 11.500h2M8 11.500h6" />
    <circle cx="10" cy="4.5" r="1.8" />
    <circle cx="6" cy="11.5" r="1.8" />
  </>,
)
export const SearchIcon = icon(
  <>
    <circle cx="7" cy="7" r="4.5" />
    <path d="m10.5 10.5 3.5 3.5" />
  </>,
)
export const CloseIcon = icon(<path d="m3.5 3.5 9 9M12.5 3.500l-9 9" />)
export const CheckIcon = icon(<path d="m3 8.5 3.5 3.500L13 4.5" />)
export const CopyIcon = icon(
  <>
    <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
    <path d="M10.5 3.500v-.500A1 1 0 0 0 9.5 2H3.500A1.5 1.5 0 0 0 2 3.500v6a1 1 0 0 0 1 1h.5" />
  </>,
)
export const ChevronIcon = icon(<path d="m6 3.5 4.5 4.500L6 12.5" />)
export const DownIcon = icon(<path d="m4 6 4 4 4-4" />)
export const PauseIcon = icon(<path d="M5.5 3.500v9M10.5 3.500v9" />)
export const PlayIcon = icon(<path d="m5 3 8 5-8 5V3Z" />)
export const PlusIcon = icon(<path d="M8 3v10M3 8h10" />)
export const SunIcon = icon(
  <>
    <circle cx="8" cy="8" r="2.8" />
    <path d="M8 1.500v1M8 13.500v1M1.5 8h1M13.5 8h1M3.4 3.400l.7.7M11.9 11.900l.7.7M12.6 3.400l-.7.7M4.1 11.900l-.7.7" />
  </>,
)
export const MoonIcon = icon(<path d="M13.5 9.500A6 6 0 0 1 6.5 2.500a6 6 0 1 0 7 7Z" />)
export const SystemIcon = icon(
  <>
    <rect x="2" y="3" width="12" height="8" rx="1.5" />
    <path d="M6 13.500h4" />
  </>,
)
export const HelpIcon = icon(
  <>
    <circle cx="8" cy="8" r="6" />
    <path d="M6.3 6.300a1.8 1.8 0 1 1 2.5 1.700c-.5.2-.8.6-.8 1.100M8 11.400v.1" />
  </>,
)
export const ExternalIcon = icon(<path d="M9.5 2.500h4v4M13.5 2.5 7.5 8.500M11.5 9.500v3a1 1 0 0 1-1 1h-7a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1h3" />)
export const ThumbUpIcon = icon(<path d="M2.5 7.500h2v6h-2zM4.5 8l2.5-5.500c1 0 1.7.8 1.5 1.800L8.2 6.500h3.700a1.5 1.5 0 0 1 1.5 1.800l-.8 4a1.5 1.5 0 0 1-1.5 1.200H4.5" />)
export const ThumbDownIcon = icon(<path d="M2.5 8.500h2v-6h-2zM4.5 8l2.5 5.500c1 0 1.7-.8 1.5-1.800L8.2 9.500h3.700a1.5 1.5 0 0 0 1.5-1.800l-.8-4a1.5 1.5 0 0 0-1.5-1.200H4.5" />)
export const UserIcon = icon(
  <>
    <circle cx="8" cy="5.5" r="2.5" />
    <path d="M3 13.500c.5-2.5 2.5-4 5-4s4.5 1.5 5 4" />
  </>,
)
export const SignOutIcon = icon(<path d="M9.5 3h-6v10h6M7 8h7M11.5 5.5 14 8l-2.5 2.5" />)
export const BackIcon = icon(<path d="M13 8H3M7 4 3 8l4 4" />)
export const FilterIcon = icon(<path d="M2 4h12M4.5 8h7M6.5 12h3" />)
export const AdminIcon = icon(
  <>
    <path d="M8 1.500 13.500 3.500v4c0 3.500-2.300 5.800-5.500 7-3.200-1.200-5.500-3.500-5.500-7v-4L8 1.500Z" />
    <path d="m5.800 8 1.600 1.600L10.400 6.500" />
  </>,
)
export const MoreIcon = icon(<path d="M3.500 8h.1M8 8h.1M12.500 8h.1" strokeWidth="2.2" />)
export const CheckNowIcon = icon(<path d="M13.500 8a5.500 5.500 0 1 1-1.700-4M13.500 2v3h-3" />)
export const BellIcon = icon(<path d="M4 11V7a4 4 0 0 1 8 0v4l1 1.500H3L4 11ZM6.500 14h3" />)
