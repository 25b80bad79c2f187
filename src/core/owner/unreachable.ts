/**
 * Handles outputs that cannot be reached: their receiver is asked to bring them, and if that fails, too, the item
 * reports it and waits. It stays `returning` with its exit code, and is never run again because of a missing path.
 */
import type { Effect, Instant, Step } from '../effects.js';
import { fetchOutputs, publishPushRequest } from './lease-message.js';
import { clip } from '../../protocol/clip.js';
import { describeExitCode } from '../../protocol/status.js';
import { persist, type OwnedItem, type OwnerRules } from './owned-item.js';

/** No address of the receiver accepted a connection: it is asked to bring the outputs. */
export function handleUnreached(
  state: OwnedItem,
  { epoch, reason }: { readonly epoch: number; readonly reason: string },
  rules: OwnerRules,
): Step<OwnedItem> {
  if (state.phase !== 'returning' || epoch !== state.epoch || state.receiver === null) return { state, effects: [] };
  const isNew = state.way === null;
  const way = { tries: 0, isTold: false, ...state.way, fault: reason };
  const next = { ...state, way };
  // This may last: after a restart the item must not be mistaken for a silent run, so it is journalled now.
  return { state: next, effects: [...(isNew ? [persist(next)] : []), publishPushRequest(next, state.receiver, rules)] };
}

/** Neither side has found a path in time: the status reports it, and it is tried again with growing pauses. */
export function waitForPath(state: OwnedItem, reason: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const tries = (state.way?.tries ?? 0) + 1;
  const reported = reportPath({ ...state, way: { fault: reason, tries, isTold: true } }, rules);
  const pauseMs = Math.min(PAUSE_MS_MAX, rules.repeatMs * 2 ** Math.min(tries, 16));
  return { state: { ...reported, repeatAt: at.ms + pauseMs }, effects: [] };
}

const PAUSE_MS_MAX = 60_000;

/** The receiver reports that it cannot reach this node either. */
export function handleNoPath(state: OwnedItem, rules: OwnerRules): OwnedItem {
  if (state.way === null || state.result?.unreached === undefined) return state;
  return reportPath({ ...state, way: { ...state.way, isTold: true } }, rules);
}

function reportPath(state: OwnedItem, { self }: OwnerRules): OwnedItem {
  const { result, way } = state;
  const node = state.receiver ?? 'its receiver';
  const what =
    result?.outcome === 'exited' ? `${describeExitCode(result.exit_code)}; its outputs are` : 'its files are';
  const here = `${what} still on ${node}: ${self} cannot reach ${node} (${way?.fault ?? ''})`;
  const there = result?.unreached === undefined ? '' : `, and ${node} cannot reach ${self} (${result.unreached})`;
  return { ...state, reason: clip(here + there) };
}

/** Fetches the outputs again now. */
export function fetchAgain(state: OwnedItem): Step<OwnedItem> {
  if (state.phase !== 'returning' || state.result === null || state.repeatAt === undefined)
    return { state, effects: [] };
  const received = { from: state.receiver ?? '', result: state.result, sealed: undefined };
  return { state: { ...state, repeatAt: undefined }, effects: [fetchOutputs(state, received)] };
}

/** A person wants the outputs fetched now; another failure is reported again. */
export function handleFetchRequest(state: OwnedItem, reason: string): Step<OwnedItem> {
  if (state.phase !== 'returning') return { state, effects: [] };
  const way = state.way === null ? null : { ...state.way, tries: 0, isTold: false };
  return fetchAgain({ ...state, way, reason });
}

/** Pushes the inputs to a receiver that cannot reach this node and asked for them. */
export function pushInputs(state: OwnedItem, urls: readonly string[] | undefined): Effect[] {
  if (urls === undefined || urls.length === 0 || state.phase !== 'acked' || state.receiver === null) return [];
  return [{ type: 'PushInputs', item: state.spec.id, epoch: state.epoch, urls }];
}
