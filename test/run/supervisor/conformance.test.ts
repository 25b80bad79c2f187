/** The conformance suite over both programs of the supervisor, and what only the C program does. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { testReaper } from '../../conformance/supervisor-reaper.js';
import { testSupervisor } from '../../conformance/supervisor.js';
import { bundledFixture } from '../../support/bundle-fixtures.js';
import { requirement } from '../../support/requirements.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const NATIVE = join(ROOT, 'dist', 'native', 'tritmesh-supervisor');

function isNativeBuilt(): boolean {
  if (process.platform !== 'linux') return false;
  execFileSync(process.execPath, [join(ROOT, 'native', 'build.mjs'), 'test'], { stdio: 'ignore' });
  return [NATIVE, `${NATIVE}-test`].every((path) => existsSync(path));
}

const isLinux = requirement('Linux with /proc', existsSync('/proc/self/stat'), 'run the tests on Linux');

describe.skipIf(!isLinux)('both programs alike', () => {
  testSupervisor({
    kind: 'node',
    real: { program: process.execPath, args: [join(ROOT, 'dist', 'bin', 'supervisor.cjs')] },
    lying: { program: process.execPath, args: [bundledFixture('lying-supervisor')] },
  });

  const native = {
    kind: 'native',
    real: { program: NATIVE, args: [] },
    lying: { program: `${NATIVE}-test`, args: [] },
  } as const;
  describe.skipIf(!requirement('a C compiler', isNativeBuilt(), 'apt-get install gcc libc6-dev'))('in C', () => {
    testSupervisor(native);
    testReaper(native);
  });
});
