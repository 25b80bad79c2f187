/** The conformance suite over the C program of the supervisor, and what only that does. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { testReaper } from '../../conformance/supervisor-reaper.js';
import { testSupervisor } from '../../conformance/supervisor.js';
import { requirement } from '../../support/requirements.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const NATIVE = join(ROOT, 'dist', 'native', `${process.platform}-${process.arch}`, 'tritmesh-supervisor');
const LYING = join(ROOT, '.tmp', 'native', 'tritmesh-supervisor-test');
const PROGRAM = {
  kind: 'native',
  real: { program: NATIVE, args: [] },
  lying: { program: LYING, args: [] },
} as const;

function isBuilt(): boolean {
  if (process.platform !== 'linux') return false;
  execFileSync(process.execPath, [join(ROOT, '.ci', 'build-native.mjs'), 'test'], { stdio: 'ignore' });
  return [NATIVE, LYING].every((path) => existsSync(path));
}

describe.skipIf(!requirement('Linux and a C compiler', isBuilt(), 'apt-get install gcc libc6-dev'))('in C', () => {
  testSupervisor(PROGRAM);
  testReaper(PROGRAM);
});
