/**
 * The direct path between owner and receiver, without the broker: decides which messages take it, and when the owner
 * calls a silent receiver.
 */
import type { Instant, Way } from '../effects.js';
import type { OwnedItem, OwnerRules } from './owned-item.js';

/**
 * The direct path for a message to a receiver. A receiver that asked over it is answered only there; if the broker is
 * away, or the receiver was last heard over it, both paths are used. `undefined` if the bus is enough or the only path.
 */
export function pathTo(state: OwnedItem, to: string, rules: OwnerRules): Way | undefined {
  if (to === rules.self) return undefined;
  const urls = urlsOf(state, to);
  // It waits for the answer on its own connection, so its address need not be known.
  if (rules.directFrom === to) return { to, urls, only: true };
  if (urls.length === 0) return undefined;
  const isNeeded = rules.isAlone === true || (state.heardDirect && to === state.receiver);
  return isNeeded ? { to, urls, only: false } : undefined;
}

function urlsOf(state: OwnedItem, to: string): readonly string[] {
  if (to === state.receiver) return state.receiverUrls ?? [];
  return to === state.source?.receiver ? (state.source.urls ?? []) : [];
}

/** The direct path for calling a silent receiver, which may be unable to call this node. */
export function pathOfCall(state: OwnedItem): Way | undefined {
  const urls = state.receiverUrls ?? [];
  return state.receiver === null || urls.length === 0 ? undefined : { to: state.receiver, urls, only: true };
}

/** When to call a receiver that was just heard if it falls silent. It renews at least every third of a lease. */
export function callLater(urls: readonly string[], at: Instant, leaseMs: number): Pick<OwnedItem, 'callAt'> {
  return { callAt: urls.length === 0 ? Number.POSITIVE_INFINITY : at.ms + Math.min(leaseMs / 2, SILENCE_MS_MAX) };
}

/** When to call it again after a call without an answer. */
export function callAgain(at: Instant, leaseMs: number): Pick<OwnedItem, 'callAt'> {
  return { callAt: at.ms + Math.min(leaseMs / 12, CALL_MS_MAX) };
}

const SILENCE_MS_MAX = 30_000;
const CALL_MS_MAX = 5000;

/** Records over which path the receiver was heard, and when. */
export function recordHeard(state: OwnedItem, from: string, epoch: number, at: Instant, rules: OwnerRules): OwnedItem {
  const urls = state.receiverUrls ?? [];
  if (state.receiver !== from || state.epoch !== epoch || from === rules.self) return state;
  const heardDirect = rules.directFrom === from;
  if (urls.length === 0 && heardDirect === state.heardDirect) return state;
  return { ...state, heardDirect, ...callLater(urls, at, state.leaseMs) };
}
