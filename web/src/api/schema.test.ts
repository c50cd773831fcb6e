import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

const web = join(import.meta.dirname, '../..')

test('schema.ts is what `npm run gen` makes of openapi.json', () => {
  const { scripts } = JSON.parse(readFileSync(join(web, 'package.json'), 'utf8')) as { scripts: { gen: string } }
  const [tool = '', ...options] = scripts.gen.split(' ')
  // Without `-o` the tool writes to its standard output.
  const output = options.indexOf('-o')
  const made = execFileSync(join(web, 'node_modules/.bin', tool), options.toSpliced(output, 2), {
    cwd: web,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  expect(made.trim()).toBe(readFileSync(join(import.meta.dirname, 'schema.ts'), 'utf8').trim())
}, 30_000)
