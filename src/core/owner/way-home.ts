/**
 * There is no way to where the outputs are: their receiver is asked to bring them, and where that does not help either, the item says so and
 * waits. It stays `returning` with its exit code; for want of a way it is never run again.
 */
import type { Effect, Instant, Step } from '../effects.js';
import { askPush, bringEffect } from './order.js';
import { clip } from '../../protocol/clip.js';
import { persist, type OwnedItem, type OwnerRules } from './owned-item.js';

/** No address of the receiver took a connection: it may bring the outputs itself. */
export function noteUnreached(
  state: OwnedItem,
  { epoch, reason }: { readonly epoch: number; readonly reason: string },
  rules: OwnerRules,
): Step<OwnedItem> {
  if (state.phase !== 'returning' || epoch !== state.epoch || state.receiver === null) return { state, effects: [] };
  const isNew = state.way === null;
  const way = { tries: 0, isTold: false, ...state.way, fault: reason };
  const next = { ...state, way };
  // From now on it may stay so for long: a restart must not take it for a run that fell silent.
  return { state: next, effects: [...(isNew ? [persist(next)] : []), askPush(next, state.receiver, rules)] };
}

/** Neither side has found a way in time: people are told, and it is tried again, ever more rarely. */
export function stayAway(state: OwnedItem, reason: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const tries = (state.way?.tries ?? 0) + 1;
  const told = tellWay({ ...state, way: { fault: reason, tries, isTold: true } }, rules);
  const pauseMs = Math.min(PAUSE_MS_MAX, rules.repeatMs * 2 ** Math.min(tries, 16));
  return { state: { ...told, repeatAt: at.ms + pauseMs }, effects: [] };
}

const PAUSE_MS_MAX = 60_000;

/** The receiver says that it does not reach this node either. */
export function hearNoWay(state: OwnedItem, rules: OwnerRules): OwnedItem {
  if (state.way === null || state.result?.unreached === undefined) return state;
  return tellWay({ ...state, way: { ...state.way, isTold: true } }, rules);
}

function tellWay(state: OwnedItem, { self }: OwnerRules): OwnedItem {
  const { result, way } = state;
  const node = state.receiver ?? 'its receiver';
  const what =
    result?.outcome === 'exited' ? `exit code ${result.exit_code ?? 'unknown'}; its outputs are` : 'its files are';
  const here = `${what} still on ${node}: ${self} does not reach ${node} (${way?.fault ?? ''})`;
  const there = result?.unreached === undefined ? '' : `, nor ${node} ${self} (${result.unreached})`;
  return { ...state, reason: clip(here + there) };
}

/** Somebody wants it tried now. */
export function fetchAgain(state: OwnedItem): Step<OwnedItem> {
  if (state.phase !== 'returning' || state.result === null || state.repeatAt === undefined)
    return { state, effects: [] };
  const told = { result: state.result, sealed: undefined };
  return { state: { ...state, repeatAt: undefined }, effects: [bringEffect(state, state.receiver ?? '', told)] };
}

/** A person wants it tried now; what is found is told anew. */
export function askFetch(state: OwnedItem, reason: string): Step<OwnedItem> {
  if (state.phase !== 'returning') return { state, effects: [] };
  const way = state.way === null ? null : { ...state.way, tries: 0, isTold: false };
  return fetchAgain({ ...state, way, reason });
}

/** The receiver of inputs asks for them to be brought: it does not reach this node. */
export function bringInputs(state: OwnedItem, urls: readonly string[] | undefined): Effect[] {
  if (urls === undefined || urls.length === 0 || state.phase !== 'acked' || state.receiver === null) return [];
  return [{ type: 'PushInputs', item: state.item.item, epoch: state.epoch, urls }];
}
