/** Whether real processes can be frozen on this machine, asked of the adapter itself, and the adapter. */
import { execFileSync } from 'node:child_process';
import { createCheckpoint } from '../../src/checkpoint/create-checkpoint.js';
import type { Checkpoint, Survey } from '../../src/checkpoint/checkpoint.js';
import { closeInherited } from '../../src/inherited-descriptors.js';
import { requirement } from '../requirements.js';

/** The adapter over the machine's own criu. */
export const CHECKPOINT: Checkpoint = createCheckpoint({ criu: '' });

/** What the machine can do. */
export const SURVEY: Survey = await new Promise((resolve) => CHECKPOINT.survey(resolve));

/** True where a program on this Node.js can be frozen: from version 24 on, each has an io_uring, whatever it is told. */
export const canFreezeNode: boolean = !hasRing();
if (!canFreezeNode)
  process.stdout.write(`skipped: Node.js ${process.version} uses io_uring: its programs cannot be frozen\n`);

function hasRing(): boolean {
  if (process.platform !== 'linux') return false;
  // A loop makes it when it begins to wait.
  const look = `setTimeout(() => console.log(require('fs').readFileSync('/proc/self/maps', 'utf8').includes('[io_uring]')), 20)`;
  return execFileSync(process.execPath, ['-e', look], { encoding: 'utf8' }).trim() === 'true';
}

// What the shell of whoever runs the tests left open would be in every run.
closeInherited();

/** True where tests can freeze processes; said or thrown otherwise, as test/requirements.ts has it. */
export const canFreeze: boolean = requirement(
  'criu 4.2 and root',
  SURVEY.usable,
  `.ci/install-criu /opt/criu, as root (${SURVEY.reason})`,
);
