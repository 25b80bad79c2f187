/** Whether this machine can freeze real processes, according to the adapter itself; and the adapter. */
import { execFileSync } from 'node:child_process';
import { createCheckpoint } from '../../src/checkpoint/create-checkpoint.js';
import type { Checkpoint, Capabilities } from '../../src/checkpoint/checkpoint.js';
import { closeInherited } from '../../src/os/inherited-descriptors.js';
import { requirement } from './requirements.js';

/** The adapter with the machine's own criu. */
export const CHECKPOINT: Checkpoint = createCheckpoint({ criu: '' });

/** What the adapter reports about this machine. */
export const CAPABILITIES: Capabilities = await new Promise((resolve) => CHECKPOINT.capabilities(resolve));

/** Whether a program on this Node.js can be frozen. From version 24 on each has an io_uring, which criu cannot dump. */
export const canFreezeNode: boolean = !hasRing();
if (!canFreezeNode)
  process.stdout.write(`skipped: Node.js ${process.version} uses io_uring: its programs cannot be frozen\n`);

function hasRing(): boolean {
  if (process.platform !== 'linux') return false;
  // The event loop creates the ring when it first waits.
  const look = `setTimeout(() => console.log(require('fs').readFileSync('/proc/self/maps', 'utf8').includes('[io_uring]')), 20)`;
  return execFileSync(process.execPath, ['-e', look], { encoding: 'utf8' }).trim() === 'true';
}

// Descriptors that the user's shell left open would be in every run.
closeInherited();

/** Whether tests can freeze processes; otherwise they are skipped or fail, see test/support/requirements.ts. */
export const canFreeze: boolean = requirement(
  'criu 4.2 and root',
  CAPABILITIES.usable,
  `.ci/install-criu /opt/criu, as root (${CAPABILITIES.reason})`,
);
