/** How the tests run: each file in a process of its own, and patiently, since the machines they run on are noisy. */
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const isCi = process.env['CI'] !== undefined;

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // The end-to-end tests mostly wait for leases to end: more of them than there are cores can wait together.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: isCi ? ['default', 'json'] : ['default'],
    outputFile: { json: '.tmp/vitest.json' },
  },
});

export default config;
