/** Known bugs of peers that cannot be called, as those of `planted-bugs.ts`. */
import type { PlantedBug } from './planted-bugs.js';

/** The bugs. */
export const PLANTED_WAYS: readonly PlantedBug[] = [
  {
    name: 'what has run is run again for want of a way',
    changes: [
      {
        file: 'core/owner/result.js',
        find: 'return stayAway(state, fault.reason, at, rules);',
        replace: 'return giveUpEpoch(state, reason, at, rules);',
      },
    ],
    within: 300,
  },
  {
    name: 'a cancel throws a result away',
    changes: [
      { file: 'core/owner/move.js', find: 'if (hasResult(state))', replace: 'if (false)' },
      // The request is refused as well.
      { file: 'pipelines/answer-steering.js', find: 'if (hasResult(state))', replace: 'if (false)' },
    ],
    within: 300,
  },
  {
    name: 'nobody is asked to bring what cannot be fetched',
    changes: [{ file: 'core/receiver/push.js', find: 'guest.pushing === true', replace: 'true' }],
    within: 300,
  },
  {
    name: 'inputs are brought to nobody',
    changes: [{ file: 'core/owner/way-home.js', find: 'urls === undefined', replace: 'true' }],
    within: 400,
  },
];
