import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger, Plugin } from 'vite'

/** Bytes of script, compressed with Brotli, that may stand between a person and the first page. */
const FIRST_SCRIPT_BYTES = 180_000

/** Fails the build when the scripts that index.html loads outgrow the budget. Runs after `precompress`. */
export function budget(): Plugin {
  let outDir = 'dist'
  let logger: Logger | undefined
  return {
    name: 'budget',
    apply: 'build',
    configResolved(config) {
      outDir = config.build.outDir
      logger = config.logger
    },
    closeBundle() {
      const html = readFileSync(join(outDir, 'index.html'), 'utf8')
      const scripts = new Set([...html.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map((match) => match[1] ?? ''))
      const bytes = [...scripts].reduce((sum, script) => sum + compressedBytes(join(outDir, script)), 0)
      logger?.info(`first page: ${bytes} of ${FIRST_SCRIPT_BYTES} bytes of compressed script`)
      if (bytes > FIRST_SCRIPT_BYTES) {
        throw new Error(`The first page loads ${bytes} bytes of compressed script; ${FIRST_SCRIPT_BYTES} are allowed.`)
      }
    },
  }
}

function compressedBytes(path: string): number {
  try {
    return readFileSync(`${path}.br`).length
  } catch {
    return readFileSync(path).length
  }
}
