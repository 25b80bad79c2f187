/**
 * Answers requests that steer one item of this node: cancel, retry, fetch. What is asked becomes a fact; what cannot be done is refused with
 * the reason.
 */
import { hasResult } from '../core/owner/move.js';
import { isSettled, type OwnedItem } from '../core/owner/owned-item.js';
import type { NodeInput } from './inputs.js';
import type { Answer } from './respond.js';

/** What steering needs. */
export interface SteeringParts {
  readonly items: ReadonlyMap<string, OwnedItem>;
  push(input: NodeInput): void;
}

/** Takes an item back. One that has run to its end is not: its result is there. */
export function answerCancel(id: string, parts: SteeringParts, whereIs: (id: string) => string): Answer {
  const state = parts.items.get(id);
  if (state === undefined) return { error: whereIs(id) };
  if (isSettled(state.phase)) return { error: `item ${id} has ended already (${state.phase})` };
  if (hasResult(state)) {
    const code = state.result?.exit_code ?? 'unknown';
    return { error: `item ${id} has run already (exit code ${code}): its outputs are on their way home and are kept` };
  }
  parts.push({ type: 'OwnerFact', item: id, fact: { type: 'CancelAsked', reason: 'cancelled on request' } });
  return { data: { item: id, phase: state.phase } };
}

/** Starts a lost item once more. */
export function answerRetry(id: string, parts: SteeringParts, whereIs: (id: string) => string): Answer {
  const state = parts.items.get(id);
  if (state === undefined) return { error: whereIs(id) };
  if (state.phase !== 'lost') return { error: `item ${id} is ${state.phase}, only a lost one is retried` };
  parts.push({ type: 'OwnerFact', item: id, fact: { type: 'RetryAsked', reason: 'retried on request' } });
  return { data: { item: id } };
}

/** Fetches outputs that there was no way to; those that are home already are fine, too. */
export function answerFetch(id: string, parts: SteeringParts, whereIs: (id: string) => string): Answer {
  const state = parts.items.get(id);
  if (state === undefined) return { error: whereIs(id) };
  if (state.phase !== 'returning' && !isSettled(state.phase))
    return { error: `item ${id} is ${state.phase}: there is nothing to fetch yet` };
  if (state.phase === 'returning')
    parts.push({
      type: 'OwnerFact',
      item: id,
      fact: { type: 'FetchAsked', reason: 'its outputs are fetched on request' },
    });
  return { data: { item: id, phase: state.phase } };
}
