/**
 * The direct path between owner and receiver, without the broker: who is answered by it, and when the owner calls.
 */
import type { Instant, Way } from '../effects.js';
import type { OwnedItem, OwnerRules } from './owned-item.js';

/**
 * The way to a receiver beside the bus: alone for one that asked by it; both where the broker is away or the receiver was heard by it
 * last. `undefined` where the bus is enough, or there is no other.
 */
export function wayTo(state: OwnedItem, to: string, rules: OwnerRules): Way | undefined {
  if (to === rules.self) return undefined;
  const urls = urlsOf(state, to);
  // It waits for the answer there; one whose address is not known can be answered all the same.
  if (rules.directFrom === to) return { to, urls, only: true };
  if (urls.length === 0) return undefined;
  const isNeeded = rules.isAlone === true || (state.heardDirect && to === state.receiver);
  return isNeeded ? { to, urls, only: false } : undefined;
}

function urlsOf(state: OwnedItem, to: string): readonly string[] {
  if (to === state.receiver) return state.receiverUrls ?? [];
  return to === state.source?.receiver ? (state.source.urls ?? []) : [];
}

/** The way of a call: nothing was heard of the receiver, and perhaps it cannot call. */
export function wayOfCall(state: OwnedItem): Way | undefined {
  const urls = state.receiverUrls ?? [];
  return state.receiver === null || urls.length === 0 ? undefined : { to: state.receiver, urls, only: true };
}

/** When a receiver that was heard now is called if it falls silent: it renews within a third of a lease. */
export function callLater(urls: readonly string[], at: Instant, leaseMs: number): Pick<OwnedItem, 'callAt'> {
  return { callAt: urls.length === 0 ? Number.POSITIVE_INFINITY : at.ms + Math.min(leaseMs / 2, SILENCE_MS_MAX) };
}

/** When it is called again if that was in vain. */
export function callAgain(at: Instant, leaseMs: number): Pick<OwnedItem, 'callAt'> {
  return { callAt: at.ms + Math.min(leaseMs / 12, CALL_MS_MAX) };
}

const SILENCE_MS_MAX = 30_000;
const CALL_MS_MAX = 5000;

/** Notes by which path the receiver was heard, and when. */
export function noteHeard(state: OwnedItem, from: string, epoch: number, at: Instant, rules: OwnerRules): OwnedItem {
  const urls = state.receiverUrls ?? [];
  if (state.receiver !== from || state.epoch !== epoch || from === rules.self) return state;
  const heardDirect = rules.directFrom === from;
  if (urls.length === 0 && heardDirect === state.heardDirect) return state;
  return { ...state, heardDirect, ...callLater(urls, at, state.leaseMs) };
}
