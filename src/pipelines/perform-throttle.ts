/**
 * Performs what is to be done about throttles through the port, and tells what became of it. A node without the port has
 * nothing that throttles, and says so.
 */
import type { ThrottleEffect } from '../core/throttle-record.js';
import type { Throttle } from '../throttle/throttle.js';
import type { NodeInput } from './inputs.js';

/** Makes the part that serves throttles. */
export function createThrottlePerformer(
  throttle: Throttle | undefined,
  push: (input: NodeInput) => void,
): (effect: ThrottleEffect) => void {
  type Fact = Extract<NodeInput, { type: 'ThrottleFact' }>['fact'];
  const tell = (target: string, fact: Fact): void => push({ type: 'ThrottleFact', target, fact });

  return (effect) => {
    const target = effect.type === 'PrepareThrottle' ? effect.target.target : effect.record.target;
    const reason = 'nothing that throttles works here';
    switch (effect.type) {
      case 'PrepareThrottle': {
        const prepared = throttle?.prepare(effect.target, effect.sharePercent, effect.known) ?? { ok: false, reason };
        if (prepared.ok) return tell(target, { type: 'ThrottlePrepared', record: prepared.record });
        return tell(target, { type: 'PrepareFailed', reason: prepared.reason });
      }
      case 'SetThrottle': {
        const ended = throttle?.set(effect.record) ?? { ok: false, reason };
        return tell(target, ended.ok ? { type: 'ThrottleSet' } : { type: 'SetFailed', reason: ended.reason });
      }
      case 'UndoThrottle': {
        const ended = throttle?.undo(effect.record) ?? { ok: false, reason };
        return tell(target, ended.ok ? { type: 'ThrottleUndone' } : { type: 'UndoFailed', reason: ended.reason });
      }
    }
  };
}
