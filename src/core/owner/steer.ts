/**
 * Whether a request to cancel, retry or fetch an item can be followed: each returns the reason why not, or `undefined`.
 */
import { explain, type Reason } from '../../protocol/reasons.js';
import { hasResult } from './move.js';
import { isSettled, type OwnedItem } from './owned-item.js';

/** Why an item cannot be cancelled: it has ended, or has run and its result exists. */
export function findCancelObstacle(state: OwnedItem): Reason | undefined {
  const id = state.spec.id;
  if (isSettled(state.phase)) return explain('has-ended', id, state.phase);
  if (!hasResult(state)) return undefined;
  const code = state.result?.exit_code ?? 'unknown';
  return explain('has-run', id, String(code));
}

/** Why an item cannot be retried: only a lost one can. */
export function findRetryObstacle(state: OwnedItem): Reason | undefined {
  return state.phase === 'lost' ? undefined : explain('not-lost', state.spec.id, state.phase);
}

/** Why the outputs cannot be fetched now. Outputs that were fetched already are no obstacle. */
export function findFetchObstacle(state: OwnedItem): Reason | undefined {
  if (state.phase === 'returning' || isSettled(state.phase)) return undefined;
  return explain('nothing-to-fetch', state.spec.id, state.phase);
}
