import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'

const source = readFileSync(fileURLToPath(new URL('theme-boot.js', import.meta.url)), 'utf8')
const hash = createHash('sha256').update(source).digest('base64url').slice(0, 8)
const fileName = `assets/theme-boot-${hash}.js`

/** Adds the script that sets theme and density before first paint, under a hashed name. */
export function themeBoot(): Plugin {
  return {
    name: 'theme-boot',
    transformIndexHtml: () => [{ tag: 'script', attrs: { src: `/${fileName}` }, injectTo: 'head' }],
    configureServer(server) {
      server.middlewares.use(`/${fileName}`, (_request, response) => {
        response.setHeader('content-type', 'text/javascript')
        response.end(source)
      })
    },
    generateBundle() {
      this.emitFile({ type: 'asset', fileName, source })
    },
  }
}
