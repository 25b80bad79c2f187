/**
 * Known bugs, each as a change to the compiled code, with the promise that it breaks and the number of seeds within which the
 * simulator must find it. A change whose place is not found fails: the code has moved on and the bug must be planted anew.
 */

import type { Change } from './plant.js';

/** One bug. */
export interface PlantedBug {
  readonly name: string;
  readonly changes: readonly Change[];
  /** Seeds within which it is found, from seed 1 on. */
  readonly within: number;
}

/** The bugs. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'an ack is said before it is journalled',
    changes: [
      {
        file: 'core/owner/ack.js',
        find: 'effects: [persist(next), ...(servedOf(next) === null ? [] : [shareWith(next, claim.from)]), sayAck(next, rules)]',
        replace:
          'effects: [sayAck(next, rules), ...(servedOf(next) === null ? [] : [shareWith(next, claim.from)]), persist(next)]',
      },
    ],
    within: 20,
  },
  {
    name: 'the first claim wins at the receivers: an ack for another is taken for one’s own',
    changes: [
      { file: 'core/receiver/accept.js', find: 'if (ack.to !== rules.self)', replace: 'if (false)' },
      { file: 'core/receiver/accept.js', find: 'if (ack.renewal !== guest.claimRenewal)', replace: 'if (false)' },
    ],
    within: 100,
  },
  {
    name: 'the epoch of a result is not checked',
    changes: [
      {
        file: 'core/owner/lease.js',
        find: 'return state.receiver === from && state.epoch === epoch;',
        replace: 'return state.receiver !== null;',
      },
    ],
    within: 100,
  },
  {
    name: 'a retained command is obeyed',
    changes: [
      {
        file: 'pipelines/receive.js',
        find: "return message.retained ? refuse(message, 'a command must not be retained') :",
        replace: 'return',
      },
    ],
    within: 50,
  },
  {
    name: 'a result is said once and not repeated',
    changes: [
      {
        file: 'core/receiver/result.js',
        find: 'repeatAt: at.ms + rules.repeatMs,',
        replace: 'repeatAt: Number.POSITIVE_INFINITY,',
      },
      {
        file: 'core/receiver/step.js',
        find: 'return passResult({ ...guest, repeatMs: rules.repeatMs }, at, rules);',
        replace: 'return { state: guest, effects: [] };',
      },
    ],
    within: 20,
  },
  {
    name: 'an item is settled before its outputs are home',
    changes: [{ file: 'core/owner/result.js', find: 'return result.outputs_count === 0', replace: 'return true' }],
    within: 20,
  },
  {
    name: 'the owner offers again when the lease is over, with no margin',
    changes: [
      {
        file: 'core/owner/lease.js',
        find: 'return state.answeredAt + state.leaseMs + rules.marginMs;',
        replace: 'return state.answeredAt + state.leaseMs - 3000;',
      },
    ],
    within: 150,
  },
  {
    name: 'a once item is offered again after a lost lease',
    changes: [{ file: 'core/owner/lease.js', find: "if (state.item.retry === 'once')", replace: 'if (false)' }],
    within: 50,
  },
  {
    name: 'claims do not hold slots',
    changes: [
      {
        file: 'core/receiver/guest.js',
        find: "return guest.phase !== 'ended' && guest.phase !== 'collecting';",
        replace: "return guest.phase === 'running';",
      },
    ],
    within: 50,
  },
  {
    name: 'a node that drains claims',
    changes: [
      { file: 'core/election.js', find: 'if (state.draining)', replace: 'if (false)' },
      {
        file: 'core/condition.js',
        find: 'slots_free: facts.draining || facts.isDiskFull ? 0 :',
        replace: 'slots_free:',
      },
    ],
    within: 50,
  },
  {
    name: 'a failed journal write is taken for a good one',
    changes: [{ file: 'pipelines/gate.js', find: 'if (error === undefined)\n', replace: 'if (true)\n' }],
    within: 150,
  },
  {
    name: 'the birth is said at connect only',
    changes: [
      { file: 'node/join-words.js', find: '.subscribe(() => sayBirth(bench))', replace: '.subscribe(() => undefined)' },
      {
        file: 'core/mesh.js',
        find: 'available: input.fresh || member.available,',
        replace: 'available: member.available,',
      },
    ],
    within: 600,
  },
  {
    name: 'who refused once is left out for ever',
    changes: [
      {
        file: 'core/owner/offer.js',
        find: 'return state.avoid.length + state.shun.length === sourcesOf(state).length && state.target === null',
        replace: 'return true',
      },
    ],
    within: 600,
  },
  {
    name: 'the lease is counted from the arrival of the owner’s answer',
    changes: [
      {
        file: 'core/receiver/lease.js',
        find: 'leaseEndsAt: sent.at + guest.leaseMs }',
        replace: 'leaseEndsAt: at.ms + guest.leaseMs }',
      },
      {
        file: 'core/receiver/lease.js',
        find: "if (at.ms >= guest.leaseEndsAt || guest.stopping === 'lease')",
        replace: 'if (false)',
      },
      { file: 'core/receiver/renew.js', find: 'const SENT_MAX = 32;', replace: 'const SENT_MAX = 800;' },
    ],
    within: 200,
  },
  {
    name: 'a start is not journalled',
    changes: [{ file: 'core/receiver/accept.js', find: 'persistGuest(starting),', replace: '' }],
    within: 400,
  },
  {
    name: 'the guardian’s deadline is not extended',
    changes: [
      {
        file: 'core/receiver/lease.js',
        find: "effects: [{ type: 'ExtendRun', guest: guestName(guest), guardAt }]",
        replace: 'effects: []',
      },
    ],
    within: 20,
  },
  {
    name: 'the guardian has no deadline',
    changes: [
      {
        file: 'pipelines/perform-guest.js',
        find: 'const guardMs = effect.guardAt - now;',
        replace: 'const guardMs = 1e9;',
      },
    ],
    within: 800,
  },
  {
    name: 'a receiver is released before the end is journalled',
    changes: [
      {
        file: 'core/owner/settle.js',
        find: 'effects: [persist(next), ...release(next, rules), ',
        replace: 'effects: [...release(next, rules), persist(next), ',
      },
    ],
    within: 20,
  },
  {
    name: 'a result is forgotten before its owner has settled it',
    changes: [
      {
        file: 'core/receiver/result.js',
        find: 'if (at.ms >= guest.endedMs + rules.keepMs)',
        replace: 'if (at.ms >= guest.endedMs + 1500)',
      },
    ],
    within: 200,
  },
  {
    name: 'an ack of an earlier claim is taken for one of the last',
    changes: [
      { file: 'core/receiver/accept.js', find: 'if (ack.renewal !== guest.claimRenewal)', replace: 'if (false)' },
    ],
    within: 1500,
  },
  {
    name: 'guests are started anew after a restart',
    changes: [
      {
        file: 'core/receiver/step.js',
        find: "{ type: 'AdoptRun', guest: guestName(guest), handle: guest.handle }",
        replace:
          "{ type: 'StartRun', guest: guestName(guest), command: guest.command, leaseEndsAt: guest.leaseEndsAt, guardAt: guest.leaseEndsAt }",
      },
    ],
    within: 20,
  },
  {
    name: 'an epoch is offered twice',
    changes: [
      {
        file: 'core/owner/offer.js',
        find: 'epoch: Math.max(state.epoch, state.lastEpoch) + 1',
        replace: 'epoch: Math.max(1, state.epoch)',
      },
    ],
    within: 50,
  },
  {
    name: 'ended items are kept by the wall clock',
    changes: [
      {
        file: 'pipelines/running-time.js',
        find: 'return () => beforeMs + clock.now() - startedAt;',
        replace: 'return () => clock.wall();',
      },
    ],
    within: 60,
  },
];
