/** Whether real processes can be frozen on this machine, asked of the adapter itself, and the adapter. */
import { createCheckpoint } from '../../src/checkpoint/create-checkpoint.js';
import type { Checkpoint, Survey } from '../../src/checkpoint/checkpoint.js';
import { closeInherited } from '../../src/inherited-descriptors.js';
import { requirement } from '../requirements.js';

/** The adapter over the machine's own criu. */
export const CHECKPOINT: Checkpoint = createCheckpoint({ criu: '' });

/** What the machine can do. */
export const SURVEY: Survey = await new Promise((resolve) => CHECKPOINT.survey(resolve));

// What the shell of whoever runs the tests left open would be in every run.
closeInherited();

/** True where tests can freeze processes; said or thrown otherwise, as test/requirements.ts has it. */
export const canFreeze: boolean = requirement(
  'criu 4.2 and root',
  SURVEY.usable,
  `.ci/install-criu /opt/criu, as root (${SURVEY.reason})`,
);
