/** The conformance suite over the Node.js program of the supervisor. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { testSupervisor } from '../../conformance/supervisor.js';
import { bundledFixture } from '../../support/bundle-fixtures.js';
import { requirement } from '../../support/requirements.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const isLinux = requirement('Linux with /proc', existsSync('/proc/self/stat'), 'run the tests on Linux');

describe.skipIf(!isLinux)('in Node.js', () => {
  testSupervisor({
    kind: 'node',
    real: { program: process.execPath, args: [join(ROOT, 'dist', 'bin', 'supervisor.cjs')] },
    lying: { program: process.execPath, args: [bundledFixture('lying-supervisor')] },
  });
});
