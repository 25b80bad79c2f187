/** The gate of a node in the small: nothing behind a `Persist` is done before it is safe; a crash loses what still waits. */
import type { Effect } from '../../../src/core/effects.js';
import type { Timeline } from './timeline.js';

/** Effects of one subject, done in order. */
export interface EffectQueue {
  take(effects: readonly Effect[]): void;
  /** The node died: what was not done never will be. */
  lose(): void;
}

export interface QueueParts {
  readonly timeline: Timeline;
  /** How long a write takes, ms. */
  writeMs(): number;
  write(key: string, value: unknown): void;
  perform(effect: Exclude<Effect, { type: 'Persist' }>): void;
}

export function createEffectQueue(parts: QueueParts): EffectQueue {
  let waiting: Effect[] = [];
  let writing = false;
  let life = 0;

  function work(): void {
    while (!writing) {
      const effect = waiting.shift();
      if (effect === undefined) return;
      if (effect.type === 'Persist') write(effect.key, effect.value);
      else parts.perform(effect);
    }
  }

  function write(key: string, value: unknown): void {
    writing = true;
    const begun = life;
    parts.timeline.after(parts.writeMs(), () => {
      if (life !== begun) return;
      parts.write(key, value);
      writing = false;
      work();
    });
  }

  return {
    take: (effects) => {
      waiting.push(...effects);
      work();
    },
    lose: () => {
      life += 1;
      waiting = [];
      writing = false;
    },
  };
}
