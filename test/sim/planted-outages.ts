/**
 * Known bugs of outages and of the direct path, as in `planted-bugs.ts`.
 */
import type { PlantedBug } from './planted-bugs.js';

/** The bugs, for planted.test.ts. */
export const PLANTED_OUTAGES: readonly PlantedBug[] = [
  {
    name: 'an answer on the direct path extends a lease without naming a renewal',
    changes: [
      {
        file: 'core/receiver/accept.js',
        find: "return path === 'direct' ? renewBy(guest, ['direct'], at, rules) :",
        replace:
          "return path === 'direct' ? renewBy({ ...guest, leaseEndsAt: at.ms + guest.leaseMs }, ['direct'], at, rules) :",
      },
      {
        file: 'pipelines/effects/perform-guest.js',
        find: 'const guardMs = effect.guardAt - now;',
        replace: 'const guardMs = 1e9;',
      },
    ],
    within: 60,
  },
  {
    name: 'a renewal on the direct path is dated at the arrival of its answer',
    changes: [
      {
        file: 'core/receiver/lease.js',
        find: 'leaseEndsAt: sent.at + guest.leaseMs }',
        replace: "leaseEndsAt: (sent.path === 'direct' ? at.ms : sent.at) + guest.leaseMs }",
      },
      {
        file: 'core/receiver/lease.js',
        find: "if (at.ms >= guest.leaseEndsAt || guest.stopping === 'lease')",
        replace: 'if (false)',
      },
      {
        file: 'core/receiver/lease.js',
        find: 'if (sent === undefined || sent.at + guest.leaseMs <= guest.leaseEndsAt)',
        replace: "if (sent === undefined || (sent.path !== 'direct' && sent.at + guest.leaseMs <= guest.leaseEndsAt))",
      },
    ],
    within: 1500,
  },
  {
    name: 'a result is released when it is handed over on the direct path',
    changes: [
      {
        file: 'pipelines/effects/publisher.js',
        find: 'deps.direct?.send({ key, urls }, { topic, payload });',
        replace:
          "{ deps.direct?.send({ key, urls }, { topic, payload }); if (topic.includes('/result/')) deps.push({ type: 'LeaseHeard', owner: to, item: topic.split('/')[3], lease: { epoch: JSON.parse(payload).epoch, to: deps.self, renewal: 0, order: 'settled' } }); }",
      },
    ],
    within: 60,
  },
  {
    name: 'an answer on the direct path does not wait for the journal',
    changes: [
      {
        file: 'pipelines/effects/effect-queue.js',
        find: '        const queue = queues.get(subject);',
        replace: `        for (const effect of effects) if (effect.type === 'Publish' && effect.way !== undefined) deps.perform(subject, effect);
        const queue = queues.get(subject);`,
      },
    ],
    within: 60,
  },
  {
    name: "the owner's clock restarts at each return of the broker",
    changes: [
      {
        file: 'core/owner/lease.js',
        find: `    if (!isHeld(state.phase) || state.repeatAt === undefined)
        return { state, effects: [] };`,
        replace: `    if (isHeld(state.phase)) return { state: { ...state, answeredAt: busNow(rules, at) }, effects: [] };
    if (state.repeatAt === undefined) return { state, effects: [] };`,
      },
    ],
    within: 250,
  },
  {
    name: "the owner's clock runs while the broker is down",
    changes: [
      {
        file: 'core/bus-time.js',
        find: '(time.isOnline ? Math.min(gap, TICK_MS_MAX) : 0)',
        replace: 'Math.min(gap, TICK_MS_MAX)',
      },
      { file: 'core/bus-time.js', find: 'if (!bus.isOnline)', replace: 'if (false)' },
    ],
    within: 250,
  },
  {
    name: 'an owner gives up as soon as its broker returns',
    changes: [
      {
        file: 'core/bus-time.js',
        find: 'return Math.max(bus.asOf + deadline - bus.ms, bus.returnedAt + returnedMs);',
        replace: 'return bus.asOf + deadline - bus.ms;',
      },
    ],
    within: 1000,
  },
  {
    name: 'results are not repeated when the broker returns',
    changes: [
      {
        file: 'core/receiver/step.js',
        find: 'return republishResult({ ...guest, repeatMs: rules.repeatMs }, at, rules);',
        replace: 'return { state: guest, effects: [] };',
      },
    ],
    within: 500,
  },
  {
    name: 'renewals that the bus leaves unanswered are not sent on the direct path',
    changes: [
      {
        file: 'core/receiver/renew.js',
        find: 'if (silenceMs(guest, at) >= answerMs(guest))',
        replace: 'if (false)',
      },
    ],
    within: 250,
  },
  {
    name: 'an owner does not call a receiver that cannot call',
    changes: [
      {
        file: 'core/owner/direct-path.js',
        find: 'return state.receiver === null || urls.length === 0 ?',
        replace: 'return true ?',
      },
    ],
    within: 500,
  },
  {
    name: 'the key of a partner is replaced',
    changes: [{ file: 'core/identity/key-pins.js', find: '!isPartner(node) && ', replace: '' }],
    within: 1500,
  },
];
