/** Known bugs with peers that cannot be called, as in `planted-bugs.ts`. */
import type { PlantedBug } from './planted-bugs.js';

/** The bugs, for planted.test.ts. */
export const PLANTED_WAYS: readonly PlantedBug[] = [
  {
    name: 'a finished job is run again because its outputs cannot be fetched',
    changes: [
      {
        file: 'core/owner/result.js',
        find: 'return waitForPath(state, fault.reason, at, rules);',
        replace: 'return giveUpEpoch(state, reason, at, rules);',
      },
    ],
    within: 300,
  },
  {
    name: 'a cancel discards a result',
    changes: [
      { file: 'core/owner/move.js', find: 'if (hasResult(state))', replace: 'if (false)' },
      // The owner also refuses the request itself.
      { file: 'core/owner/steer.js', find: 'if (!hasResult(state))', replace: 'if (true)' },
    ],
    within: 300,
  },
  {
    name: 'a receiver is never asked to push what cannot be fetched',
    changes: [{ file: 'core/receiver/push.js', find: 'guest.pushing === true', replace: 'true' }],
    within: 300,
  },
  {
    name: 'inputs are never pushed',
    changes: [{ file: 'core/owner/unreachable.js', find: 'urls === undefined', replace: 'true' }],
    within: 400,
  },
];
