/**
 * Known bugs of a node's identity, as in `planted-bugs.ts`.
 */
import type { PlantedBug } from './planted-bugs.js';

/** The bugs, for planted.test.ts. */
export const PLANTED_IDENTITY: readonly PlantedBug[] = [
  {
    name: 'the id follows the host name while the journal stays',
    changes: [
      {
        file: 'core/identity/choose-identity.js',
        find: `return { ok: true, value: known.id };
    }
    if (known.former`,
        replace: `return { ok: true, value: id };
    }
    if (known.former`,
      },
      { file: 'node/create-node.js', find: 'if (identity.id !== id)', replace: 'if (false)' },
    ],
    within: 60,
  },
  {
    name: 'a journal that was restored from a backup is resumed as it is',
    changes: [{ file: 'core/identity/catch-up.js', find: 'return isOlder ?', replace: 'return false ?' }],
    within: 300,
  },
  {
    name: 'a node that no longer holds an epoch is told to continue, so that a run on a paused machine never ends',
    changes: [
      {
        file: 'core/owner/lease.js',
        find: 'effects: releaseStranger(state, from, progress.epoch, rules)',
        replace: "effects: [publishLease(state, from, progress.epoch, progress.renewal, 'hold', rules)]",
      },
    ],
    within: 900,
  },
];
