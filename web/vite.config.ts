import { fileURLToPath } from 'node:url'
import optimizeLocales from '@react-aria/optimize-locales-plugin'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'
import { budget } from './build/budget.ts'
import { mockApi } from './build/mock-api.ts'
import { precompress } from './build/precompress.ts'
import { themeBoot } from './build/theme-boot.ts'

const BACKEND = process.env['LK_BASE_URL'] ?? 'http://127.0.0.1:8787'

export default defineConfig(({ mode }) => ({
  plugins: [
    react(),
    // React Aria's own strings in the language of the UI only.
    { ...optimizeLocales.vite({ locales: ['en-US'] }), enforce: 'pre' as const },
    tailwindcss(),
    themeBoot(),
    precompress(),
    budget(),
    ...(mode === 'mock' ? [mockApi()] : []),
  ],
  resolve: { alias: { '@': fileURLToPath(new URL('src', import.meta.url)) } },
  server: mode === 'mock' ? {} : { proxy: { '/api': BACKEND, '/webhooks': BACKEND } },
  // Assets below the limit would become data: URLs; everything stays a hashed file instead.
  build: {
    assetsInlineLimit: 0,
    target: 'es2023',
    sourcemap: false,
    // What the first page needs is one file: it compresses better and is one request.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'first', test: /\/src\/main\.tsx$/ }] } } },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/test/setup.ts'],
    css: false,
    testTimeout: 30_000,
    restoreMocks: true,
  },
}))
