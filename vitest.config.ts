/**
 * How the tests run, in four groups, one after another: units, tests that need the cores (many simulated meshes), tests
 * that must be alone (they measure load), and tests that mostly wait (for leases to end, brokers to return, processes to
 * freeze), several side by side. The files of a worker share its process and its loaded modules, so a test file must
 * leave nothing behind. Limits are generous, since the machines that tests run on are noisy.
 */
import { basename } from 'node:path';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const isCi = process.env['CI'] !== undefined;
/** One for files that run again alone. */
const workersMax = Number(process.env['TRITMESH_TEST_WORKERS'] ?? Number.POSITIVE_INFINITY);

const CORES = ['test/sim/{planted,kept-seeds}.test.ts', 'test/cli/every-command.test.ts'];
/** They load processors, or measure their load: next to others they would measure those. */
const ALONE = [
  'test/e2e/{load,throttle,migrate-by-load,migrate-by-rule,demo}.test.ts',
  'test/throttle/methods.test.ts',
];
const WAITS = [
  'test/e2e/**/*.test.ts',
  'test/cli/{run-away,thin/thin-run}.test.ts',
  'test/cli/commands/{run,node,items}.test.ts',
  'test/run/{freeze,container,watchdog,supervisor}/**/*.test.ts',
];

interface Group {
  readonly name: string;
  readonly include: readonly string[];
  readonly exclude?: readonly string[];
  readonly maxWorkers: number;
}

const GROUPS: readonly Group[] = [
  { name: 'unit', include: ['test/**/*.test.ts'], exclude: [...CORES, ...ALONE, ...WAITS], maxWorkers: 3 },
  { name: 'cores', include: CORES, maxWorkers: 2 },
  { name: 'alone', include: ALONE, maxWorkers: 1 },
  { name: 'waits', include: WAITS, exclude: [...CORES, ...ALONE], maxWorkers: 6 },
];

/** Files that run longest, so that none of them is left to run alone at the end of its group. */
const LONGEST: readonly string[] = [
  'two-versions',
  'faults',
  'lying-clocks',
  'outage',
  'moves',
  'migrate-damaged',
  'migrate-container',
  'migrate',
  'broker-away',
  'container-crash',
  'migrate-crash',
  'run-away',
  'doubt-answered',
  'native-program',
  'node-program',
  'crash',
  'planted',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- not that of an array
    const rest = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.indexOf(basename(moduleId, '.test.ts'));
      return at < 0 ? LONGEST.length : at;
    };
    return rest.toSorted((one, other) => rank(one) - rank(other));
  }
}

const config: ViteUserConfig = defineConfig({
  test: {
    pool: 'forks',
    // Loading the modules again for each file took longer than running its tests.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globalSetup: 'test/support/bundle-fixtures.ts',
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
