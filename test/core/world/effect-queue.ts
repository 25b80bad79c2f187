/**
 * A minimal effect queue: nothing behind a `Persist` is performed before that write is safe, and a crash drops the
 * rest.
 */
import type { Effect } from '../../../src/core/effects.js';
import type { Timeline } from './timeline.js';

/** The effects of one subject, performed in order. */
export interface EffectQueue {
  enqueue(effects: readonly Effect[]): void;
  /** Drops all waiting effects: the node died. */
  drop(): void;
}

export interface EffectQueueDeps {
  readonly timeline: Timeline;
  /** How long a write takes, ms. */
  writeMs(): number;
  write(key: string, value: unknown): void;
  perform(effect: Exclude<Effect, { type: 'Persist' }>): void;
}

export function createEffectQueue(deps: EffectQueueDeps): EffectQueue {
  let waiting: Effect[] = [];
  let writing = false;
  let boot = 0;

  function work(): void {
    while (!writing) {
      const effect = waiting.shift();
      if (effect === undefined) return;
      if (effect.type === 'Persist') write(effect.key, effect.value);
      else deps.perform(effect);
    }
  }

  function write(key: string, value: unknown): void {
    writing = true;
    const begun = boot;
    deps.timeline.after(deps.writeMs(), () => {
      if (boot !== begun) return;
      deps.write(key, value);
      writing = false;
      work();
    });
  }

  return {
    enqueue: (effects) => {
      waiting.push(...effects);
      work();
    },
    drop: () => {
      boot += 1;
      waiting = [];
      writing = false;
    },
  };
}
