/**
 * Before the tests: bundles the fixtures that tests start dozens of times, since each start would load hundreds of
 * modules.
 */
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const FIXTURES = join(import.meta.dirname, '..', 'fixtures');
const BUNDLES = join(import.meta.dirname, '..', '..', '.tmp', 'fixtures');

/** The bundled program of a fixture. */
export function bundledFixture(name: 'runner-host' | 'run-host'): string {
  return join(BUNDLES, `${name}.js`);
}

/** Called by vitest once for each run. */
export async function setup(): Promise<void> {
  const input = { 'runner-host': join(FIXTURES, 'runner-host.mjs'), 'run-host': join(FIXTURES, 'run-host.mjs') };
  const built = await rolldown({ input, platform: 'node' });
  await built.write({ dir: BUNDLES, format: 'esm', entryFileNames: '[name].js' });
  await built.close();
}
