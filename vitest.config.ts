/**
 * How the tests run, in three groups, one after another: units, what needs the cores (many simulated meshes), and what mostly waits (leases
 * that end, brokers that are away, processes that are frozen). The last run many side by side. Each file has a process of its own, and
 * limits are generous, since the machines that tests run on are noisy.
 */
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const isCi = process.env['CI'] !== undefined;
/** One for files that run again alone. */
const workersMax = Number(process.env['TRITMESH_TEST_WORKERS'] ?? Number.POSITIVE_INFINITY);

const CORES = ['test/sim/planted.test.ts', 'test/sim/kept-seeds.test.ts', 'test/e2e/load.test.ts'];
const WAITS = [
  'test/e2e/**/*.test.ts',
  'test/cli/{every-command,run-away}.test.ts',
  'test/cli/commands/{run,node,items}.test.ts',
  'test/run/{freeze,container,watchdog}/**/*.test.ts',
  'test/throttle/methods.test.ts',
];

interface Group {
  readonly name: string;
  readonly include: readonly string[];
  readonly exclude?: readonly string[];
  readonly maxWorkers: number;
}

const GROUPS: readonly Group[] = [
  { name: 'unit', include: ['test/**/*.test.ts'], exclude: [...CORES, ...WAITS], maxWorkers: 2 },
  { name: 'cores', include: CORES, maxWorkers: 2 },
  { name: 'waits', include: WAITS, exclude: CORES, maxWorkers: 6 },
];

const config: ViteUserConfig = defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: isCi ? ['default', 'json'] : ['default'],
    outputFile: { json: '.tmp/vitest.json' },
    projects: GROUPS.map(({ name, include, exclude = [], maxWorkers }, groupOrder) => ({
      extends: true,
      test: {
        name,
        include: [...include],
        exclude: [...exclude],
        maxWorkers: Math.min(workersMax, maxWorkers),
        sequence: { groupOrder },
      },
    })),
  },
});

export default config;
