/** Known bugs with little free disk space, as in `planted-bugs.ts`. */
import type { PlantedBug } from './planted-bugs.js';

/** The bugs, for planted.test.ts. */
export const PLANTED_ROOMS: readonly PlantedBug[] = [
  {
    name: 'free disk space is not checked',
    changes: [
      { file: 'core/disk/disk-space.js', find: 'if (free === undefined)', replace: 'if (true)' },
      { file: 'core/placement/open-offers.js', find: 'needed > space', replace: 'false' },
    ],
    within: 200,
  },
  {
    name: 'promised disk space is not counted',
    changes: [
      {
        file: 'core/receiver/guest.js',
        find: "if (phase === 'claimed' || phase === 'fetching')",
        replace: 'if (false)',
      },
    ],
    within: 1000,
  },
];
