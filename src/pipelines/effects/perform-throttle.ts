/**
 * Performs throttle effects through the port and reports the outcomes. Without the port every attempt fails with a
 * reason.
 */
import type { ThrottleEffect } from '../../core/processes/saved-throttle.js';
import type { Throttle } from '../../throttle/throttle.js';
import type { NodeInput } from '../inputs.js';

/** Creates the performer of throttle effects. */
export function createThrottlePerformer(
  throttle: Throttle | undefined,
  push: (input: NodeInput) => void,
): (effect: ThrottleEffect) => void {
  type Event = Extract<NodeInput, { type: 'ThrottleInput' }>['input'];
  const report = (target: string, input: Event): void => push({ type: 'ThrottleInput', target, input });

  return (effect) => {
    const target = effect.type === 'PrepareThrottle' ? effect.target.target : effect.record.target;
    const reason = 'no throttle method works here';
    switch (effect.type) {
      case 'PrepareThrottle': {
        const prepared = throttle?.prepare(effect.target, effect.sharePercent, effect.known) ?? { ok: false, reason };
        if (prepared.ok) return report(target, { type: 'ThrottlePrepared', record: prepared.record });
        return report(target, { type: 'PrepareFailed', reason: prepared.reason });
      }
      case 'SetThrottle': {
        const ended = throttle?.set(effect.record) ?? { ok: false, reason };
        return report(target, ended.ok ? { type: 'ThrottleSet' } : { type: 'SetFailed', reason: ended.reason });
      }
      case 'UndoThrottle': {
        const ended = throttle?.undo(effect.record) ?? { ok: false, reason };
        return report(target, ended.ok ? { type: 'ThrottleUndone' } : { type: 'UndoFailed', reason: ended.reason });
      }
    }
  };
}
