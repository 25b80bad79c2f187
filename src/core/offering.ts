/**
 * Which waiting items are offered now. An item is offered when a receiver is in sight, in the order of submission, and only
 * so many at a time that the receivers always find the next one standing: the rest stays quiet in the queue.
 */
import { BLOCKED_SHOWN_MAX } from '../protocol/limits.js';
import type { Direction, Trit } from '../protocol/messages.js';
import type { Blocked } from '../protocol/status.js';
import { OFFLINE, rankReceivers, type Ranking } from './election.js';
import type { MeshRules } from './member.js';
import type { MeshView } from './mesh.js';
import { askFor, type OwnedItem } from './owner/owned-item.js';

/** How far `rebalance` lets the mesh act: the strict seed, or on every pair of an item and a receiver. */
export type Rebalance = 'gf3' | 'pairs';

/** What the choice goes by. */
export interface OfferingFacts {
  readonly self: string;
  readonly view: MeshView;
  readonly mesh: MeshRules;
  readonly now: number;
  readonly trit: Trit;
  readonly direction: Direction;
  readonly rebalance: Rebalance;
  /** Items of this owner whose round is open. */
  readonly outstanding: number;
  /** Offers that stand in the whole mesh, as far as they were heard, this owner's among them. */
  readonly standing: number;
}

/** What becomes of one waiting item; one that is passed over says why, when that is news. */
export type Offering =
  | { readonly item: string; readonly offer: true; readonly reason: string }
  | { readonly item: string; readonly offer: false; readonly reason: string; readonly blocked: readonly Blocked[] };

/** Offers of one owner that may stand at once, however large the mesh is. */
const OFFERS_STANDING_MAX = 256;

/** Why an item waits that could be offered if fewer stood before it. */
const BEHIND = 'waits behind other items of this owner';

/**
 * Goes through the queue, oldest first. Items that ask for the same are ranked once, and one that goes on waiting for what
 * its state says already is left out: a look at a queue of thousands must not cost thousands of steps.
 */
export function chooseOffers(queue: Iterable<OwnedItem>, facts: OfferingFacts): Offering[] {
  const window = 2 * countSlotsInSight(facts);
  const rankings = new Map<string, Ranking>();
  const chosen: Offering[] = [];
  let { outstanding, standing } = facts;
  for (const state of queue) {
    // What others offer takes up the receivers, too; but each owner has one standing, or it would never have its turn.
    const room = outstanding === 0 || (outstanding < OFFERS_STANDING_MAX && standing < window);
    if (!room && state.reason === BEHIND) continue;
    const offering = judge(state, facts, rankings, room);
    if (offering.offer) {
      outstanding += 1;
      standing += 1;
    }
    if (offering.offer || isNews(state, offering)) chosen.push(offering);
  }
  return chosen;
}

function isNews(state: OwnedItem, passed: Extract<Offering, { readonly offer: false }>): boolean {
  return (
    state.reason !== passed.reason ||
    state.blocked.length !== passed.blocked.length ||
    state.blocked.some((one, index) => {
      const other = passed.blocked[index];
      return one.node !== other?.node || one.reason !== other.reason;
    })
  );
}

/** Slots of those who receive now, taken or not. */
function countSlotsInSight(facts: OfferingFacts): number {
  let slots = 0;
  for (const { id, state } of facts.view.values()) {
    if (state?.trit === -1 || (id === facts.self && facts.trit !== 1)) slots += state?.slots ?? 0;
  }
  return Math.max(1, slots);
}

function judge(state: OwnedItem, facts: OfferingFacts, rankings: Map<string, Ranking>, room: boolean): Offering {
  const item = state.item.item;
  if (facts.rebalance === 'gf3' && facts.trit === 1 && facts.direction !== 'shed') {
    return { item, offer: false, reason: 'rebalance is gf3 and the mesh sum is not above 0', blocked: [] };
  }
  if (state.item.deferred && facts.direction !== 'wake') {
    return { item, offer: false, reason: 'it is deferred and the mesh sum is not negative any more', blocked: [] };
  }
  if (facts.now < state.notBefore) return { item, offer: false, reason: state.reason, blocked: [] };
  const ranking = rankOnce(state, facts, rankings);
  if (ranking.ranked.length === 0 && ranking.full.length === 0) {
    return { item, offer: false, reason: describeWant(ranking, facts), blocked: listBlocked(ranking) };
  }
  if (!room) return { item, offer: false, reason: BEHIND, blocked: [] };
  return { item, offer: true, reason: describeSight(state, ranking, facts.trit) };
}

/** Why there is no receiver. Without the broker only one node counts, and a status shows only so many of the others. */
function describeWant(ranking: Ranking, { self, mesh: { alone } }: OfferingFacts): string {
  if (alone === undefined) return 'no receiver: see why each node does not take it';
  return `${alone.reason}, so only ${self} could take it: ${ranking.blocked.get(self) ?? 'it has not sensed its load yet'}`;
}

function rankOnce(state: OwnedItem, facts: OfferingFacts, rankings: Map<string, Ranking>): Ranking {
  const ask = askFor(state, facts.self);
  const key = JSON.stringify([ask.need, ask.avoid, ask.deferred]);
  const known = rankings.get(key);
  if (known !== undefined) return known;
  const ranking = rankReceivers(facts.view, ask, facts.now, facts.mesh);
  rankings.set(key, ranking);
  return ranking;
}

function listBlocked(ranking: Ranking): Blocked[] {
  const all = [...ranking.blocked].map(([node, reason]) => ({ node, reason }));
  // Of those who are away nothing is to be learnt: they must not leave others without a word.
  const isAway = ({ reason }: Blocked): boolean => reason === OFFLINE;
  return [...all.filter((one) => !isAway(one)), ...all.filter(isAway)].slice(0, BLOCKED_SHOWN_MAX);
}

function describeSight(state: OwnedItem, ranking: Ranking, trit: Trit): string {
  const best = ranking.ranked[0] ?? ranking.full[0] ?? 'a receiver';
  const why = trit === 1 ? 'its owner is PLUS' : state.reason === '' ? 'submitted' : state.reason;
  return `${why}; ${best} is in sight`;
}
