/**
 * Known bugs, each as a change to the compiled code, with the number of seeds within which the simulator must find it.
 * A change whose text is not found fails: the code has changed, and the bug must be planted again.
 */

import type { Change } from './plant.js';

/** One bug. */
export interface PlantedBug {
  readonly name: string;
  readonly changes: readonly Change[];
  /** The simulator finds it within this many seeds, from seed 1 on. */
  readonly within: number;
}

/** The bugs, for planted.test.ts. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'an ack is published before it is journaled',
    changes: [
      {
        file: 'core/owner/ack.js',
        find: `            persist(next),
            ...(servedOf(next) === null ? [] : [shareWith(next, claim.from)]),
            publishAck(next, rules),`,
        replace: `            publishAck(next, rules),
            ...(servedOf(next) === null ? [] : [shareWith(next, claim.from)]),
            persist(next),`,
      },
    ],
    within: 20,
  },
  {
    name: 'a receiver takes an ack for another node as its own',
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
        file: 'pipelines/mesh/decode-messages.js',
        find: "return message.retained ? refuse(message, 'a command must not be retained') :",
        replace: 'return',
      },
    ],
    within: 50,
  },
  {
    name: 'a result is published once and not repeated',
    changes: [
      {
        file: 'core/receiver/result.js',
        find: 'repeatAt: at.ms + rules.repeatMs,',
        replace: 'repeatAt: Number.POSITIVE_INFINITY,',
      },
      {
        file: 'core/receiver/step.js',
        find: 'return republishResult({ ...guest, repeatMs: rules.repeatMs }, at, rules);',
        replace: 'return { state: guest, effects: [] };',
      },
    ],
    within: 20,
  },
  {
    name: 'an item is settled before its outputs are at its owner',
    changes: [{ file: 'core/owner/result.js', find: 'return result.outputs_count === 0', replace: 'return true' }],
    within: 20,
  },
  {
    name: 'the owner offers again when the lease is over, without a margin',
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
    changes: [{ file: 'core/owner/lease.js', find: "if (state.spec.retry === 'once')", replace: 'if (false)' }],
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
      { file: 'core/mesh/ranking.js', find: 'if (state.draining)', replace: 'if (false)' },
      {
        file: 'core/node-state.js',
        find: 'slots_free: facts.draining || facts.isDiskFull ? 0 :',
        replace: 'slots_free:',
      },
    ],
    within: 50,
  },
  {
    name: 'a failed journal write counts as a successful one',
    changes: [
      {
        file: 'pipelines/effects/effect-queue.js',
        find: `if (error === undefined)
`,
        replace: `if (true)
`,
      },
    ],
    within: 150,
  },
  {
    name: 'the birth is published only at connect',
    changes: [
      {
        file: 'node/wire-publishing.js',
        find: '.subscribe(() => publishBirth(context))',
        replace: '.subscribe(() => undefined)',
      },
      {
        file: 'core/mesh/member-table.js',
        find: 'available: input.fresh || member.available,',
        replace: 'available: member.available,',
      },
    ],
    within: 600,
  },
  {
    name: 'a node that refused once is excluded forever',
    changes: [
      {
        file: 'core/owner/offer.js',
        find: 'return state.avoid.length + state.excludedForMove.length === sourcesOf(state).length && state.target === null',
        replace: 'return true',
      },
    ],
    within: 600,
  },
  {
    name: "the lease is counted from the arrival of the owner's answer",
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
    name: 'a start is not journaled',
    changes: [{ file: 'core/receiver/accept.js', find: 'persistGuest(starting),', replace: '' }],
    within: 400,
  },
  {
    name: "the watchdog's deadline is not extended",
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
    name: 'the watchdog has no deadline',
    changes: [
      {
        file: 'pipelines/effects/perform-guest.js',
        find: 'const guardMs = effect.guardAt - now;',
        replace: 'const guardMs = 1e9;',
      },
    ],
    within: 800,
  },
  {
    name: 'a receiver is released before the end is journaled',
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
    name: 'an ack of an earlier claim is taken for an ack of the latest one',
    changes: [
      { file: 'core/receiver/accept.js', find: 'if (ack.renewal !== guest.claimRenewal)', replace: 'if (false)' },
    ],
    within: 1500,
  },
  {
    name: 'guests are started again after a restart',
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
    name: 'ended items expire by the wall clock',
    changes: [
      {
        file: 'pipelines/owner/running-time.js',
        find: 'return () => beforeMs + clock.now() - startedAt;',
        replace: 'return () => clock.wall();',
      },
    ],
    within: 60,
  },
];
