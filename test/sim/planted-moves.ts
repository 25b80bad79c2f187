/**
 * Known bugs of moves by checkpoint, as in `planted-bugs.ts`.
 */
import type { PlantedBug } from './planted-bugs.js';

/** The bugs, for planted.test.ts. */
export const PLANTED_MOVES: readonly PlantedBug[] = [
  {
    name: 'a copy runs as soon as it is restored, before its owner has committed the move',
    changes: [
      {
        file: 'core/receiver/freeze.js',
        find: 'return { state: renewed.state, effects: [persistGuest(prepared), ...renewed.effects] };',
        replace:
          "return { state: { ...renewed.state, phase: 'thawing' }, effects: [persistGuest(prepared), { type: 'ThawRun', guest: guestName(guest), leaseEndsAt: Infinity }, ...renewed.effects] };",
      },
    ],
    within: 100,
  },
  {
    name: 'the original is ended at the commitment, before its copy has reported that it runs',
    changes: [
      {
        file: 'core/owner/checkpoint.js',
        find: "effects: [persist(next), publishLease(next, next.receiver ?? '', next.epoch, renewal, 'continue', rules)],",
        replace:
          "effects: [persist(next), ...releaseSource(state, rules), publishLease(next, next.receiver ?? '', next.epoch, renewal, 'continue', rules)],",
      },
    ],
    within: 100,
  },
  {
    name: 'the commitment is published before it is journaled',
    changes: [
      {
        file: 'core/owner/checkpoint.js',
        find: "effects: [persist(next), publishLease(next, next.receiver ?? '', next.epoch, renewal, 'continue', rules)],",
        replace:
          "effects: [publishLease(next, next.receiver ?? '', next.epoch, renewal, 'continue', rules), persist(next)],",
      },
    ],
    within: 100,
  },
];
