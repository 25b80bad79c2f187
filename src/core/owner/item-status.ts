/** The status of an item, as its owner publishes it. */
import type { Status } from '../../protocol/status.js';
import type { Effect } from '../effects.js';
import { publish } from '../effects.js';
import { isHeld, type OwnedItem } from './owned-item.js';

/** Converts an item to its published status. */
export function toStatus(state: OwnedItem): Status {
  return {
    phase: state.phase,
    name: state.spec.name,
    epoch: state.epoch,
    receiver: state.receiver,
    reason: state.reason,
    ...(state.code === undefined ? {} : { code: state.code }),
    attempts: state.attempts,
    hops: state.hops,
    submitted_at: state.spec.submitted_at,
    exit_code: state.result?.exit_code ?? null,
    signal: state.result?.signal ?? null,
    run_ms: state.result?.run_ms ?? null,
    cpu_s: state.result?.cpu_s ?? null,
    ...(isHeld(state.phase) && state.direct !== undefined ? { direct: state.direct } : {}),
    ...(state.phase === 'returning' && state.way?.isTold === true ? { unreached: true } : {}),
    blocked: state.blocked,
    history: state.history,
  };
}

/** Publishes the status of the item. */
export function publishStatus(state: OwnedItem, self: string): Effect {
  return publish({ kind: 'status', owner: self, item: state.spec.id }, toStatus(state));
}
