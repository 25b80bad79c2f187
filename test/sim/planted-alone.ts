/**
 * Known bugs of a node whose broker is away, as {@link PLANTED_BUGS}: each is found by what must go on at a node that
 * hears of nobody.
 */
import type { PlantedBug } from './planted-bugs.js';

/** The bugs. */
export const PLANTED_ALONE: readonly PlantedBug[] = [
  {
    name: 'a node without its broker offers nothing, not even to itself',
    changes: [
      {
        file: 'node/join-looks.js',
        find: 'const due = stirred && isWorkInSight(bench)',
        replace: 'const due = stirred && !bench.reach.isAlone && isWorkInSight(bench)',
      },
    ],
    within: 60,
  },
  {
    name: 'what a node says to itself needs the broker',
    changes: [
      {
        file: 'pipelines/say.js',
        find: 'if (message.way?.only !== true)\n            parts.bus.publish({ topic, payload, qos, retain: retain ?? retained });',
        replace:
          'const heard = hearOneself(message, parts.self); parts.bus.publish({ topic, payload, qos, retain: retain ?? retained }, (error) => { if (error === undefined && heard !== undefined) parts.push(heard); });',
      },
      {
        file: 'pipelines/say.js',
        find: 'const heard = hearOneself(message, parts.self);\n        if (heard !== undefined)\n            parts.push(heard);',
        replace: '',
      },
    ],
    within: 60,
  },
  {
    name: 'an owner without its broker acks a member that cannot hear it',
    changes: [
      {
        file: 'core/owner/offer.js',
        find: 'if (rules.isAlone === true && claim.from !== rules.self)',
        replace: 'if (false)',
      },
      {
        file: 'pipelines/own.js',
        find: "if (input.type === 'LinkChanged' && !input.online)",
        replace: 'if (false)',
      },
    ],
    within: 300,
  },
];
