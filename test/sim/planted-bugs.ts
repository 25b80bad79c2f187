/**
 * Known bugs, each as a change to the compiled code, with the promise that it breaks and the number of seeds within which the
 * simulator must find it. A change whose place is not found fails: the code has moved on and the bug must be planted anew.
 */

/** One bug. */
export interface PlantedBug {
  readonly name: string;
  readonly changes: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
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
    within: 50,
  },
  {
    name: 'the first claim wins at the receivers: an ack for another is taken for one’s own',
    changes: [
      { file: 'core/receiver/accept.js', find: 'if (ack.to !== rules.self)', replace: 'if (false)' },
      { file: 'core/receiver/accept.js', find: 'if (ack.renewal !== guest.claimRenewal)', replace: 'if (false)' },
    ],
    within: 400,
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
    within: 400,
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
    within: 200,
  },
  {
    name: 'a result is said once and not repeated',
    changes: [{ file: 'core/receiver/result.js', find: 'return at.ms < guest.repeatAt ?', replace: 'return true ?' }],
    within: 100,
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
    within: 400,
  },
  {
    name: 'a once item is offered again after a lost lease',
    changes: [{ file: 'core/owner/lease.js', find: "if (state.item.retry === 'once')", replace: 'if (false)' }],
    within: 200,
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
    within: 100,
  },
  {
    name: 'a node that drains claims',
    changes: [
      { file: 'core/election.js', find: 'if (state.draining)', replace: 'if (false)' },
      { file: 'core/condition.js', find: 'slots_free: facts.draining ? 0 :', replace: 'slots_free:' },
    ],
    within: 400,
  },
  {
    name: 'a failed journal write is taken for a good one',
    changes: [{ file: 'pipelines/gate.js', find: 'if (error === undefined)\n', replace: 'if (true)\n' }],
    within: 400,
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
    within: 400,
  },
  {
    name: 'who refused once is left out for ever',
    changes: [
      {
        file: 'core/owner/offer.js',
        find: 'return { state: { ...state, avoid: sourcesOf(state), target: null, reason }, effects: [] };',
        replace: 'return { state, effects: [] };',
      },
    ],
    within: 400,
  },
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
