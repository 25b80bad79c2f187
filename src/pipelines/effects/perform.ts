/**
 * The perform stage: carries out effects through the ports and returns the outcomes as inputs. It decides nothing.
 * Keeping the order and waiting for the journal are the effect queue's job.
 */
import type { Effect } from '../../core/effects.js';
import { createGuestPerformer } from './perform-guest.js';
import { createItemPerformer } from './perform-item.js';
import type { PerformContext } from './perform-context.js';
import { createThrottlePerformer } from './perform-throttle.js';
import type { Publisher } from './publisher.js';
import type { Throttle } from '../../throttle/throttle.js';
import type { StatusBoard } from './publish-status.js';

/** Performs effects, and shares what had to wait for a member's key. */
export interface Performer {
  perform(subject: string, effect: Exclude<Effect, { type: 'Persist' }>): void;
  /** Called when a member's key becomes known: shares what had to wait for it. */
  release(node: string): void;
}

/** Creates the performer of a node. */
export function createPerformer(
  deps: PerformContext & {
    readonly publisher: Publisher;
    readonly statuses: StatusBoard;
    readonly throttle: Throttle | undefined;
  },
): Performer {
  const items = createItemPerformer(deps);
  const guests = createGuestPerformer(deps);
  const throttles = createThrottlePerformer(deps.throttle, deps.push);
  const perform: Performer['perform'] = (_subject, effect) => {
    switch (effect.type) {
      case 'Publish':
        return effect.kind === 'status' ? deps.statuses.handle(effect) : deps.publisher.publish(effect);
      case 'ClearRetained':
        return deps.publisher.clearRetained(effect.topic);
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
