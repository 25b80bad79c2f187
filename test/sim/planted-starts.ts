/** Bugs about the start of a run, which is not told while it is young: see planted-bugs.ts for the form. */

import type { PlantedBug } from './planted-bugs.js';

/** The bugs, for planted.test.ts. */
export const PLANTED_STARTS: readonly PlantedBug[] = [
  {
    name: 'a run whose start was not told counts as never started after a restart',
    changes: [
      {
        file: 'core/receiver/step.js',
        find: `        case 'starting':
        case 'running':
            return {
                state: guest,
                effects: [`,
        replace: `        case 'starting':
            return endGuest(guest, { outcome: 'refused', reason: 'it was not told' }, at, rules);
        case 'running':
            return {
                state: guest,
                effects: [`,
      },
    ],
    within: 300,
  },
  {
    name: 'the end of a run whose start was not reported is ignored',
    changes: [
      {
        file: 'core/receiver/run.js',
        find: `export function handleExit(guest, exit, at, rules) {
    if (!hasProcesses(guest))`,
        replace: `export function handleExit(guest, exit, at, rules) {
    if (guest.phase === 'starting' || !hasProcesses(guest))`,
      },
    ],
    within: 100,
  },
  {
    name: 'a run whose start was not told is not found again when its node restarts',
    changes: [
      {
        file: 'sim/parts/sim-runner.js',
        find: 'adopt: (run) => {',
        replace: `adopt: (run, _directory, handle) => {
            if (handle === null) return emit({ type: 'RunFailed', run, reason: 'it has no handle' });`,
      },
    ],
    within: 300,
  },
];
