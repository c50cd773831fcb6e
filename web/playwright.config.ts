import { defineConfig, devices } from '@playwright/test'
import { BASE_URL, SESSION_FILE } from './e2e/environment.ts'

/** Browser tests on a running Linekeeper: LK_BASE_URL, LK_EMAIL and LK_PASSWORD say which and who. */
export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  reporter: [['list']],
  timeout: 45_000,
  expect: { timeout: 10_000 },
  // The tests share one installation and small machines run them.
  workers: 1,
  forbidOnly: true,
  use: {
    baseURL: BASE_URL,
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env['LK_CHROMIUM'] ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
      ],
    },
  },
  projects: [
    { name: 'sign-in', testMatch: /sign-in\.setup\.ts/ },
    {
      name: 'desktop',
      dependencies: ['sign-in'],
      use: { ...devices['Desktop Chrome'], viewport: { width: 1440, height: 900 }, storageState: SESSION_FILE },
    },
    {
      name: 'phone',
      testMatch: /pages\.spec\.ts/,
      dependencies: ['sign-in', 'desktop'],
      use: { ...devices['Desktop Chrome'], viewport: { width: 390, height: 844 }, storageState: SESSION_FILE },
    },
  ],
})
