/** What each program of the supervisor must do: see docs/internals/supervisor.md. Real processes and files, no node. */
import { describe } from 'vitest';
import { openSupervisedPlaces, type TestedSupervisor } from '../support/supervised.js';
import { testDoubts } from './supervisor-doubts.js';
import { testFrames } from './supervisor-frames.js';
import { testLeases } from './supervisor-leases.js';
import { testLog } from './supervisor-log.js';
import { testOrphan } from './supervisor-orphan.js';
import { testStarts } from './supervisor-starts.js';
import { testStartFaults } from './supervisor-start-faults.js';
import { testWarden } from './supervisor-warden.js';

const PARTS = [testStarts, testStartFaults, testLeases, testOrphan, testFrames, testLog, testWarden, testDoubts];

/** Runs the suite over one program. */
export function testSupervisor(tested: TestedSupervisor): void {
  describe(`the ${tested.kind} supervisor`, () => {
    const open = openSupervisedPlaces(tested);
    for (const part of PARTS) part({ tested, open });
  });
}
