/**
 * The perform stage: effects are done through the ports, and what becomes of them comes back as inputs. Nothing is decided
 * here. The order of effects and the waiting for the journal are the gate's business.
 */
import type { Effect } from '../core/effects.js';
import { createGuestPerformer } from './perform-guest.js';
import { createItemPerformer } from './perform-item.js';
import type { PerformParts } from './perform-parts.js';
import { createThrottlePerformer } from './perform-throttle.js';
import type { Speaker } from './say.js';
import type { Throttle } from '../throttle/throttle.js';
import type { StatusBoard } from './status.js';

/** Performs effects. */
export interface Performer {
  perform(subject: string, effect: Exclude<Effect, { type: 'Persist' }>): void;
  /** A member's key is known now: what had to wait for it is shared. */
  release(node: string): void;
}

/** Makes the performer of a node. */
export function createPerformer(
  parts: PerformParts & {
    readonly speaker: Speaker;
    readonly statuses: StatusBoard;
    readonly throttle: Throttle | undefined;
  },
): Performer {
  const items = createItemPerformer(parts);
  const guests = createGuestPerformer(parts);
  const throttles = createThrottlePerformer(parts.throttle, parts.push);
  const perform: Performer['perform'] = (_subject, effect) => {
    switch (effect.type) {
      case 'Say':
        return effect.kind === 'status' ? parts.statuses.take(effect) : parts.speaker.say(effect);
      case 'Unsay':
        return parts.speaker.unsay(effect.topic);
      case 'Stage':
      case 'Restage':
      case 'Share':
      case 'Unshare':
      case 'FetchHome':
      case 'OpenHome':
      case 'PushInputs':
      case 'Place':
      case 'Carry':
      case 'DropImage':
      case 'RemoveItem':
        return items.perform(effect);
      case 'PrepareThrottle':
      case 'SetThrottle':
      case 'UndoThrottle':
        return throttles(effect);
      default:
        return guests.perform(effect);
    }
  };
  return {
    perform,
    release: (node) => {
      items.release(node);
      guests.release(node);
    },
  };
}
