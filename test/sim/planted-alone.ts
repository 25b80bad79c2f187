/**
 * Known bugs of a node whose broker is down, as in `planted-bugs.ts`: each stops something that must continue at a node
 * without a connection.
 */
import type { PlantedBug } from './planted-bugs.js';

/** The bugs, for planted.test.ts. */
export const PLANTED_ALONE: readonly PlantedBug[] = [
  {
    name: 'a node without its broker offers nothing, not even to itself',
    changes: [
      {
        file: 'node/wire-decisions.js',
        find: 'const isReady = () => isWorkInSight(context)',
        replace: 'const isReady = () => !context.reach.isAlone && isWorkInSight(context)',
      },
    ],
    within: 60,
  },
  {
    name: 'messages of a node to itself need the broker',
    changes: [
      {
        file: 'pipelines/effects/publisher.js',
        find: `if (message.way?.only !== true)
            deps.bus.publish({ topic, payload, qos, retain: retain ?? retained });`,
        replace:
          'const heard = loopback(message, deps.self); deps.bus.publish({ topic, payload, qos, retain: retain ?? retained }, (error) => { if (error === undefined && heard !== undefined) deps.push(heard); });',
      },
      {
        file: 'pipelines/effects/publisher.js',
        find: `const heard = loopback(message, deps.self);
        if (heard !== undefined)
            deps.push(heard);`,
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
        file: 'pipelines/owner/items.js',
        find: "if (input.type === 'LinkChanged' && !input.online)",
        replace: 'if (false)',
      },
    ],
    within: 300,
  },
];
