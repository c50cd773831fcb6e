import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PROVIDERS } from './fixtures/providers'

const SRC = join(import.meta.dirname, '..')
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(?:tsx?|css)$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(SRC, file), 'utf8') }))
const product = files.filter(({ file }) => !file.startsWith('test/') && !file.includes('.test.') && file !== 'api/schema.ts')

/** What each layer may import besides itself: routes -> features -> provider -> ui -> api. */
const ALLOWED: Record<string, string[]> = {
  api: ['api'],
  ui: ['ui', 'api'],
  provider: ['provider', 'ui', 'api'],
  features: ['features', 'provider', 'ui', 'api'],
  routes: ['routes', 'features', 'provider', 'ui', 'api'],
}
const importsOf = (text: string) => [...text.matchAll(/(?:from|import\()\s*'@\/([^']+)'/g)].map((match) => match[1] ?? '')

describe('the folder law', () => {
  test.each(product.filter(({ file }) => file.includes('/')))('$file imports downwards only', ({ file, text }) => {
    const layer = file.split('/')[0] ?? ''
    for (const path of importsOf(text)) expect(ALLOWED[layer], path).toContain(path.split('/')[0])
    expect(text).not.toMatch(/from '\.\.\/\.\.\//)
  })

  test('a feature imports no other feature, only what features share', () => {
    for (const { file, text } of product.filter(({ file }) => file.startsWith('features/'))) {
      const own = file.split('/')[1]
      const foreign = importsOf(text).filter(
        (path) => path.startsWith('features/') && !['shared', own].includes(path.split('/')[1]),
      )
      expect(foreign, file).toEqual([])
    }
  })
})

test('no provider is named outside tests', () => {
  const names = PROVIDERS.flatMap(({ key, name }) => [key, name]).concat('github', 'slack')
  const pattern = new RegExp(`\\b(?:${names.join('|')})\\b`, 'i')
  for (const { file, text } of product) expect(pattern.exec(text)?.[0], file).toBeUndefined()
})

test('no inline style and no HTML from strings, which the content security policy forbids', () => {
  for (const { file, text } of product) {
    expect(text, file).not.toMatch(/\bstyle=/)
    expect(text, file).not.toContain('dangerouslySetInnerHTML')
  }
})

test('colours are tokens', () => {
  for (const { file, text } of product.filter(({ file }) => file.endsWith('.tsx') && file !== 'provider/provider-icon.tsx')) {
    expect(/#[0-9a-f]{3,8}\b(?=['\]"])/i.exec(text)?.[0], file).toBeUndefined()
  }
})

test('files stay under 300 lines', () => {
  for (const { file, text } of files.filter(({ file }) => file !== 'api/schema.ts')) {
    expect(text.split('\n').length, file).toBeLessThanOrEqual(300)
  }
})
