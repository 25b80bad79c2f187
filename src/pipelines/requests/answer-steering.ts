/**
 * Answers requests that steer one item of this node: cancel, retry, fetch. A request becomes an input; one that is not
 * possible is refused with the reason.
 */
import type { ItemInput } from '../../core/owner/inputs.js';
import type { OwnedItem } from '../../core/owner/owned-item.js';
import { findCancelObstacle, findFetchObstacle, findRetryObstacle } from '../../core/owner/steer.js';
import type { NodeInput } from '../inputs.js';
import type { Reason } from '../../protocol/reasons.js';
import { refuseRequest, type Answer } from './respond.js';

/** What steering needs. */
export interface AnswerSteeringDeps {
  readonly items: ReadonlyMap<string, OwnedItem>;
  push(input: NodeInput): void;
}

/** Cancels an item. */
export function answerCancel(id: string, deps: AnswerSteeringDeps, whereIs: (id: string) => Reason): Answer {
  const input = { type: 'CancelAsked', reason: 'cancelled on request' } as const;
  return steer(id, deps, whereIs, findCancelObstacle, input);
}

/** Starts a lost item again. */
export function answerRetry(id: string, deps: AnswerSteeringDeps, whereIs: (id: string) => Reason): Answer {
  const input = { type: 'RetryAsked', reason: 'retried on request' } as const;
  return steer(id, deps, whereIs, findRetryObstacle, input);
}

/** Fetches outputs that could not be reached before. */
export function answerFetch(id: string, deps: AnswerSteeringDeps, whereIs: (id: string) => Reason): Answer {
  const input = { type: 'FetchAsked', reason: 'its outputs are fetched on request' } as const;
  return steer(id, deps, whereIs, findFetchObstacle, input);
}

function steer(
  id: string,
  { items, push }: AnswerSteeringDeps,
  whereIs: (id: string) => Reason,
  findObstacle: (state: OwnedItem) => Reason | undefined,
  input: ItemInput,
): Answer {
  const state = items.get(id);
  if (state === undefined) return refuseRequest(whereIs(id));
  const obstacle = findObstacle(state);
  if (obstacle !== undefined) return refuseRequest(obstacle);
  push({ type: 'ItemInput', item: id, input });
  return { data: input.type === 'RetryAsked' ? { item: id } : { item: id, phase: state.phase } };
}
