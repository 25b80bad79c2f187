/**
 * The offers that a node has heard and that still stand, and which of them it claims now. A node claims by its rank: the
 * first at once, the next a little later, so that an ack mostly passes before a needless claim is made.
 */
import { countSlots, type Need } from '../protocol/item.js';
import { OFFERS_REMEMBERED_MAX } from '../protocol/limits.js';
import type { Offer } from '../protocol/work-messages.js';
import { roomNeeded } from './disk-room.js';
import { claimDelayMs, countDue, findObstacle, findRank, type Ask } from './election.js';
import type { MeshRules } from './member.js';
import type { MeshView } from './mesh.js';

/** An offer that stands. */
export interface StandingOffer {
  readonly owner: string;
  readonly item: string;
  readonly offer: Offer;
  /** Monotonic ms. */
  readonly endsAt: number;
  /** Since when this node could take it; `undefined` while it cannot. */
  readonly ableSince: number | undefined;
}

/** Standing offers by `<owner>/<item>`, oldest first. Changed in place. */
export type OfferBook = Map<string, StandingOffer>;

/** What claiming goes by. */
export interface ClaimingFacts {
  readonly self: string;
  readonly view: MeshView;
  readonly mesh: MeshRules;
  readonly now: number;
  readonly stepMs: number;
  /** Slots that this node can still promise. */
  readonly slotsFree: number;
  /** Bytes on its disk that it can still promise; `undefined` if not known. */
  readonly diskFree: number | undefined;
  /** Whether this node holds some epoch of the item that is not over: two must never run here at once. */
  holds(owner: string, item: string): boolean;
  /** Whether the node's policy lets it work for this owner. */
  accepts(owner: string): boolean;
}

/** One offer to claim now. */
export interface ChosenClaim {
  readonly standing: StandingOffer;
  readonly rank: number;
}

/** What to claim now, and when to look again. */
export interface Claiming {
  readonly claims: readonly ChosenClaim[];
  readonly lookAt: number | undefined;
}

/** Name of an item in the book. */
export function bookKey(owner: string, item: string): string {
  return `${owner}/${item}`;
}

/** Notes an offer; a repeat keeps its place, a new epoch begins anew. */
export function noteOffer(book: OfferBook, owner: string, item: string, offer: Offer, now: number): void {
  const key = bookKey(owner, item);
  const known = book.get(key);
  if (known !== undefined && offer.epoch < known.offer.epoch) return;
  const same = known !== undefined && known.offer.epoch === offer.epoch;
  if (known === undefined && book.size >= OFFERS_REMEMBERED_MAX) dropEnded(book, now);
  if (known === undefined && book.size >= OFFERS_REMEMBERED_MAX) return;
  book.set(key, { owner, item, offer, endsAt: now + offer.ttl_ms, ableSince: same ? known.ableSince : undefined });
}

function dropEnded(book: OfferBook, now: number): void {
  for (const [key, standing] of book) if (now >= standing.endsAt) book.delete(key);
}

/** Goes through the book and chooses what to claim; offers that ended are dropped. */
export function chooseClaims(book: OfferBook, facts: ClaimingFacts): Claiming {
  const claims: ChosenClaim[] = [];
  let lookAt: number | undefined;
  let free = facts.slotsFree;
  let room = facts.diskFree ?? Number.POSITIVE_INFINITY;
  for (const [key, standing] of book) {
    if (facts.now >= standing.endsAt) {
      book.delete(key);
      continue;
    }
    const slots = countSlots(standing.offer.need);
    const needed = askOf(standing).need.disk_bytes ?? 0;
    if (slots > free || needed > room) {
      setAble(book, key, standing, undefined);
      continue;
    }
    const due = judge(book, key, standing, facts);
    if (due === undefined) continue;
    if (due.at > facts.now) {
      lookAt = Math.min(lookAt ?? due.at, due.at);
      continue;
    }
    free -= slots;
    room -= needed;
    claims.push({ standing, rank: due.rank });
  }
  return { claims, lookAt };
}

function judge(
  book: OfferBook,
  key: string,
  standing: StandingOffer,
  facts: ClaimingFacts,
): { readonly at: number; readonly rank: number } | undefined {
  const ask = askOf(standing);
  const own = facts.view.get(facts.self);
  const able =
    own !== undefined &&
    findObstacle(own, ask, facts.now, facts.mesh) === undefined &&
    (standing.owner === facts.self || facts.accepts(standing.owner)) &&
    !facts.holds(standing.owner, standing.item);
  if (!able) {
    setAble(book, key, standing, undefined);
    return undefined;
  }
  const since = standing.ableSince ?? facts.now;
  setAble(book, key, standing, since);
  const due = countDue(facts.now - since, facts.stepMs);
  const rank = findRank(facts.view, facts.self, ask, facts.now, facts.mesh, due + RANKS_AHEAD);
  return rank < 0 ? undefined : { at: since + claimDelayMs(rank, facts.stepMs), rank };
}

/** Ranks are told apart this far beyond those that are due: mostly an ack has passed before any of the others is. */
const RANKS_AHEAD = 4;

function setAble(book: OfferBook, key: string, standing: StandingOffer, since: number | undefined): void {
  if (standing.ableSince !== since) book.set(key, { ...standing, ableSince: since });
}

/** What an offer asks the mesh for. */
export function askOf(standing: Pick<StandingOffer, 'owner' | 'item' | 'offer'>): Ask {
  const { offer } = standing;
  return {
    owner: standing.owner,
    item: standing.item,
    epoch: offer.epoch,
    need: needOf(offer),
    avoid: offer.avoid,
    deferred: offer.deferred,
  };
}

/** What an offer needs, its room on the disk named in any case. */
export function needOf({ need, size_bytes }: Offer): Need {
  const needed = roomNeeded(need, size_bytes);
  return needed === 0 ? need : { ...need, disk_bytes: needed };
}
