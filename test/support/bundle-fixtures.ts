/**
 * Before the tests: bundles the fixtures that tests start dozens of times, since each start would load hundreds of
 * modules.
 */
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const FIXTURES = join(import.meta.dirname, '..', 'fixtures');
const BUNDLES = join(import.meta.dirname, '..', '..', '.tmp', 'fixtures');

const NAMES = ['runner-host', 'run-host', 'lying-supervisor'] as const;
type FixtureName = (typeof NAMES)[number];

/** The bundled program of a fixture. */
export function bundledFixture(name: FixtureName): string {
  return join(BUNDLES, `${name}.js`);
}

/** Called by vitest once for each run. */
export async function setup(): Promise<void> {
  const input = Object.fromEntries(NAMES.map((name) => [name, join(FIXTURES, `${name}.mjs`)]));
  const built = await rolldown({ input, platform: 'node' });
  await built.write({ dir: BUNDLES, format: 'esm', entryFileNames: '[name].js' });
  await built.close();
}
