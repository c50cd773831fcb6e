import type { ReactNode } from 'react'
import { Menu as AriaMenu, MenuItem, MenuTrigger, Popover } from 'react-aria-components'
import { POPOVER } from './select'

export interface MenuAction {
  id: string
  label: string
  icon?: ReactNode
  /** Small, at the right. */
  note?: ReactNode
  onAction: () => void
}

/** A button (the child) that opens a list of actions. */
export function Menu({ label, actions, children }: { label: string; actions: MenuAction[]; children: ReactNode }) {
  return (
    <MenuTrigger>
      {children}
      <Popover className={POPOVER} offset={4} placement="bottom end">
        <AriaMenu aria-label={label} items={actions} className="outline-none">
          {(action) => (
            <MenuItem
              id={action.id}
              textValue={action.label}
              onAction={action.onAction}
              className="flex cursor-default items-center gap-2 rounded-sm px-2 py-1.5 text-13 outline-none data-[focused]:bg-n3"
            >
              {action.icon}
              <span className="min-w-0 flex-1 truncate">{action.label}</span>
              {action.note && <span className="pl-4 text-12 text-muted">{action.note}</span>}
            </MenuItem>
          )}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  )
}
