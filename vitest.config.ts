/** How the tests run: three processes at a time, since many of them wait for a run of the command more than they work, against sources; tests that fork a part find it in dist, built once beforehand. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 3,
    minWorkers: 1,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
