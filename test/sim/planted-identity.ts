/**
 * Known bugs of who a node is, as in `planted-bugs.ts`.
 */
import type { PlantedBug } from './planted-bugs.js';

/** The bugs. */
export const PLANTED_IDENTITY: readonly PlantedBug[] = [
  {
    name: 'the id follows the host name while the journal stays',
    changes: [
      {
        file: 'core/node-identity.js',
        find: 'return { ok: true, value: known.id };\n    }\n    if (known.former',
        replace: 'return { ok: true, value: id };\n    }\n    if (known.former',
      },
      { file: 'node/create-node.js', find: 'if (identity.id !== id)', replace: 'if (false)' },
    ],
    within: 60,
  },
  {
    name: 'a journal that was put back is taken up as it is',
    changes: [{ file: 'core/catch-up.js', find: 'return isOlder ?', replace: 'return false ?' }],
    within: 300,
  },
  {
    name: 'whoever does not hold an epoch is told to go on: what ran on a machine that stood still is never ended',
    changes: [
      {
        file: 'core/owner/lease.js',
        find: 'effects: releaseStranger(state, from, progress.epoch, rules)',
        replace: "effects: [sayLease(state, from, progress.epoch, progress.renewal, 'hold', rules)]",
      },
    ],
    within: 900,
  },
];
