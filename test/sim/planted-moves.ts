/**
 * Known bugs of moves by checkpoint, as in `planted-bugs.ts`.
 */
import type { PlantedBug } from './planted-bugs.js';

/** The bugs. */
export const PLANTED_MOVES: readonly PlantedBug[] = [
  {
    name: 'a copy runs as soon as it is restored, before its owner has committed itself',
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
    name: 'the original is ended with the commitment, before its copy is heard to run',
    changes: [
      {
        file: 'core/owner/checkpoint.js',
        find: "effects: [persist(next), sayLease(next, next.receiver ?? '', next.epoch, renewal, 'continue', rules)],",
        replace:
          "effects: [persist(next), ...releaseSource(state, rules), sayLease(next, next.receiver ?? '', next.epoch, renewal, 'continue', rules)],",
      },
    ],
    within: 100,
  },
  {
    name: 'the original goes on after the commitment, when its copy is late',
    changes: [
      {
        file: 'core/owner/checkpoint.js',
        find: "return state.order === 'continue' || state.phase === 'running';",
        replace: "return state.phase === 'running';",
      },
    ],
    within: 400,
  },
  {
    name: 'the commitment is said before it is journalled',
    changes: [
      {
        file: 'core/owner/checkpoint.js',
        find: "effects: [persist(next), sayLease(next, next.receiver ?? '', next.epoch, renewal, 'continue', rules)],",
        replace:
          "effects: [sayLease(next, next.receiver ?? '', next.epoch, renewal, 'continue', rules), persist(next)],",
      },
    ],
    within: 100,
  },
  {
    name: 'an order to go on is obeyed whichever move it was for',
    changes: [
      {
        file: 'core/receiver/freeze.js',
        find: ' || move !== guest.move || guest.stopping !== null',
        replace: ' || guest.stopping !== null',
      },
    ],
    within: 2000,
  },
  {
    name: 'the original goes on when its owner is restarted',
    changes: [
      {
        file: 'core/receiver/step.js',
        find: 'return { state: { ...guest, result: null }, effects: [adopt, describeImage(guest)] };',
        replace:
          "return { state: { ...guest, phase: 'thawing' }, effects: [adopt, { type: 'ThawRun', guest: name, leaseEndsAt: Infinity }] };",
      },
    ],
    within: 400,
  },
  {
    name: 'rounds are numbered from the epoch that is held, also after a move was given up',
    changes: [
      {
        file: 'core/owner/offer.js',
        find: 'epoch: Math.max(state.epoch, state.lastEpoch) + 1,',
        replace: 'epoch: state.epoch + 1,',
      },
    ],
    within: 400,
  },
];
