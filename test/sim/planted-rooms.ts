/** Known bugs of disks with little room, as those of `planted-bugs.ts`. */
import type { PlantedBug } from './planted-bugs.js';

/** The bugs. */
export const PLANTED_ROOMS: readonly PlantedBug[] = [
  {
    name: 'room on a disk is not looked at',
    changes: [
      { file: 'core/disk-room.js', find: 'if (free === undefined)', replace: 'if (true)' },
      { file: 'core/offer-book.js', find: 'needed > room', replace: 'false' },
    ],
    within: 200,
  },
  {
    name: 'room that was promised is not counted',
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
