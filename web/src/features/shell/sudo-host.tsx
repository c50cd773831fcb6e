import { lazy, Suspense, useEffect, useState } from 'react'
import { setSudoHandler, sudoCancelled } from '@/api/sudo'
import type { SudoMethods } from '@/api/types'

const SudoDialog = lazy(() => import('./sudo-dialog').then((module) => ({ default: module.SudoDialog })))

interface Question {
  methods: SudoMethods
  settle: (proven: boolean) => void
}

/** Where requests that need a fresh proof find somebody to ask. */
export function SudoHost() {
  const [question, setQuestion] = useState<Question | null>(null)
  useEffect(
    () =>
      setSudoHandler(
        (methods) =>
          new Promise((resolve, reject) => {
            const settle = (proven: boolean) => {
              setQuestion(null)
              if (proven) resolve()
              else reject(sudoCancelled())
            }
            setQuestion({ methods, settle })
          }),
      ),
    [],
  )
  if (!question) return null
  return (
    <Suspense>
      <SudoDialog methods={question.methods} onDone={() => question.settle(true)} onCancel={() => question.settle(false)} />
    </Suspense>
  )
}
