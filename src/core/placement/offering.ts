/**
 * Chooses which waiting items to offer now. An item is offered when a receiver is in sight, in order of submission.
 * Only as many offers are open as keep the receivers supplied; the other items stay silent in the queue.
 */
import { BLOCKED_SHOWN_MAX } from '../../protocol/limits.js';
import type { Direction, Trit } from '../../protocol/messages.js';
import { explain, type Reason, type ReasonCode } from '../../protocol/reasons.js';
import type { Blocked } from '../../protocol/status.js';
import { rankReceivers, type Ranking } from '../mesh/ranking.js';
import type { MeshRules } from '../mesh/member.js';
import type { MemberTable } from '../mesh/member-table.js';
import { placementFor, type OwnedItem } from '../owner/owned-item.js';

/**
 * When `rebalance` lets a PLUS node offer: strictly by the sum of the mesh (the seed), or for any item with a receiver.
 */
export type Rebalance = 'gf3' | 'pairs';

/** What the choice depends on. */
export interface OfferContext {
  readonly self: string;
  readonly members: MemberTable;
  readonly mesh: MeshRules;
  readonly now: number;
  readonly trit: Trit;
  readonly direction: Direction;
  readonly rebalance: Rebalance;
  /** Items of this owner with an open round. */
  readonly outstanding: number;
  /** Open offers in the whole mesh, as far as they were heard, including those of this owner. */
  readonly standing: number;
}

/** The decision on one waiting item: offered or passed over, and why. */
export type Offering =
  | { readonly item: string; readonly offer: true; readonly reason: string }
  | {
      readonly item: string;
      readonly offer: false;
      readonly reason: string;
      readonly code: string | undefined;
      readonly blocked: readonly Blocked[];
    };

/** Most open offers of one owner, however large the mesh is. */
const OFFERS_OPEN_MAX = 256;

/** Why an item waits that could be offered if fewer were ahead of it. */
const BEHIND: ReasonCode & 'behind-others' = 'behind-others';

/** Whether the state of a waiting item says that it is behind others: nothing about it changes until there is room. */
export function isBehindOthers({ code }: OwnedItem): boolean {
  return code === BEHIND;
}

/**
 * Goes through the queue, oldest first, until no more offers may be open. Behind that, only the items that do not know
 * yet that they are behind others are looked at: those of `unexplained`, which may name others too. Items with the same
 * request are ranked once, and an item whose state already gives the reason is left out of the result: a change must
 * not cost as many steps as items wait.
 */
export function chooseOffers(
  queue: Iterable<OwnedItem>,
  context: OfferContext,
  unexplained: Iterable<OwnedItem> = queue,
): Offering[] {
  const window = 2 * countSlotsInSight(context);
  const rankings = new Map<string, Ranking>();
  const chosen: Offering[] = [];
  const judged = new Set<OwnedItem>();
  let { outstanding, standing: open } = context;
  // Offers of others use up the receivers, too. Each owner may still have one open, or it might never get a turn.
  const mayOffer = (): boolean => outstanding === 0 || (outstanding < OFFERS_OPEN_MAX && open < window);

  function consider(state: OwnedItem): void {
    const offering = judge(state, context, rankings, mayOffer());
    if (offering.offer) {
      outstanding += 1;
      open += 1;
    }
    if (offering.offer || isNews(state, offering)) chosen.push(offering);
  }

  if (mayOffer()) {
    for (const state of queue) {
      judged.add(state);
      consider(state);
      if (!mayOffer()) break;
    }
  }
  if (mayOffer()) return chosen;
  for (const state of unexplained) if (!judged.has(state) && !isBehindOthers(state)) consider(state);
  return chosen;
}

function isNews(state: OwnedItem, passed: Extract<Offering, { readonly offer: false }>): boolean {
  return (
    state.reason !== passed.reason ||
    state.code !== passed.code ||
    state.blocked.length !== passed.blocked.length ||
    state.blocked.some((one, index) => {
      const other = passed.blocked[index];
      return one.node !== other?.node || one.reason !== other.reason;
    })
  );
}

/** Slots of all nodes that receive now, taken or not. */
function countSlotsInSight(context: OfferContext): number {
  let slots = 0;
  for (const { id, state } of context.members.values()) {
    if (state?.trit === -1 || (id === context.self && context.trit !== 1)) slots += state?.slots ?? 0;
  }
  return Math.max(1, slots);
}

function judge(state: OwnedItem, context: OfferContext, rankings: Map<string, Ranking>, mayOffer: boolean): Offering {
  const item = state.spec.id;
  if (context.rebalance === 'gf3' && context.trit === 1 && context.direction !== 'shed') {
    return passOver(item, explain('sum-not-positive'));
  }
  if (state.spec.deferred && context.direction !== 'wake') {
    return passOver(item, explain('sum-not-negative'));
  }
  if (context.now < state.notBefore) return { item, offer: false, reason: state.reason, code: state.code, blocked: [] };
  const ranking = rankOnce(state, context, rankings);
  if (ranking.ranked.length === 0 && ranking.full.length === 0) {
    return passOver(item, explainNoReceiver(ranking, context), listBlocked(ranking));
  }
  if (!mayOffer) return passOver(item, explain(BEHIND));
  return { item, offer: true, reason: describeSight(state, ranking, context.trit) };
}

/** Why there is no receiver. Without the broker only this node counts, so its own reason is in the sentence. */
function explainNoReceiver(ranking: Ranking, { self, mesh: { alone } }: OfferContext): Reason {
  if (alone === undefined) return explain('no-receiver');
  return explain('alone', alone.reason, self, ranking.blocked.get(self)?.text ?? 'it has not sensed its load yet');
}

function passOver(item: string, { code, text }: Reason, blocked: readonly Blocked[] = []): Offering {
  return { item, offer: false, reason: text, code, blocked };
}

function rankOnce(state: OwnedItem, context: OfferContext, rankings: Map<string, Ranking>): Ranking {
  const key = requestKey(state, context.self);
  const known = rankings.get(key);
  if (known !== undefined) return known;
  const ranking = rankReceivers(context.members, placementFor(state, context.self), context.now, context.mesh);
  rankings.set(key, ranking);
  return ranking;
}

/** What the ranking of an item depends on besides the members, as text. */
function requestKey(state: OwnedItem, self: string): string {
  const known = requestKeys.get(state);
  if (known !== undefined) return known;
  const { need, avoid, deferred } = placementFor(state, self);
  const key = JSON.stringify([need, avoid, deferred]);
  requestKeys.set(state, key);
  return key;
}

/** The keys of states, which never change: a waiting item is looked at many times. A state belongs to one owner. */
const requestKeys = new WeakMap<OwnedItem, string>();

function listBlocked(ranking: Ranking): Blocked[] {
  const all = [...ranking.blocked].map(([node, { code, text }]) => ({ node, reason: text, code }));
  // Offline members are the least informative: they must not displace others from the list.
  const isOffline = ({ code }: Blocked): boolean => code === 'offline';
  return [...all.filter((one) => !isOffline(one)), ...all.filter(isOffline)].slice(0, BLOCKED_SHOWN_MAX);
}

function describeSight(state: OwnedItem, ranking: Ranking, trit: Trit): string {
  const best = ranking.ranked[0] ?? ranking.full[0] ?? 'a receiver';
  const why = trit === 1 ? 'its owner is PLUS' : state.reason === '' ? 'submitted' : state.reason;
  return `${why}; ${best} is in sight`;
}
