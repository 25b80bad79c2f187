/**
 * The open offers that a node has heard, and which of them it claims now. A node waits according to its rank: the first
 * claims at once, the next a little later, so usually an ack arrives before a needless claim is made.
 */
import { countSlots, type Need } from '../../protocol/item.js';
import { OFFERS_REMEMBERED_MAX } from '../../protocol/limits.js';
import type { Offer } from '../../protocol/work-messages.js';
import { spaceNeeded } from '../disk/disk-space.js';
import { claimDelayMs, countDue, findObstacle, findRank, type PlacementRequest } from '../mesh/ranking.js';
import type { MeshRules } from '../mesh/member.js';
import type { MemberTable } from '../mesh/member-table.js';

/** An offer that has not expired. */
export interface OpenOffer {
  readonly owner: string;
  readonly item: string;
  readonly offer: Offer;
  /** When it expires, monotonic ms. */
  readonly endsAt: number;
  /** Since when this node could take it, monotonic ms; `undefined` while it cannot. */
  readonly ableSince: number | undefined;
}

/** Open offers by `<owner>/<item>`, oldest first. Changed in place. */
export type OpenOffers = Map<string, OpenOffer>;

/** What claiming depends on. */
export interface ClaimContext {
  readonly self: string;
  readonly members: MemberTable;
  readonly mesh: MeshRules;
  readonly now: number;
  readonly stepMs: number;
  /** Slots that this node can still promise to items. */
  readonly slotsFree: number;
  /** Disk space that it can still promise, bytes; `undefined` if not known. */
  readonly diskFree: number | undefined;
  /** Whether this node holds an epoch of the item that is not over: two must never run here at once. */
  holds(owner: string, item: string): boolean;
  /** Whether the policy of this node accepts work from this owner. */
  accepts(owner: string): boolean;
}

/** An offer to claim now, with the rank of this node. */
export interface ChosenClaim {
  readonly standing: OpenOffer;
  readonly rank: number;
}

/** What to claim now, and when to choose again, monotonic ms. */
export interface Claiming {
  readonly claims: readonly ChosenClaim[];
  readonly lookAt: number | undefined;
}

/** Key of an item in {@link OpenOffers}. */
export function openOfferKey(owner: string, item: string): string {
  return `${owner}/${item}`;
}

/** Records an offer. A repeat keeps its waiting time; a new epoch starts over. */
export function recordOffer(offers: OpenOffers, owner: string, item: string, offer: Offer, now: number): void {
  const key = openOfferKey(owner, item);
  const known = offers.get(key);
  if (known !== undefined && offer.epoch < known.offer.epoch) return;
  const same = known !== undefined && known.offer.epoch === offer.epoch;
  if (known === undefined && offers.size >= OFFERS_REMEMBERED_MAX) dropEnded(offers, now);
  if (known === undefined && offers.size >= OFFERS_REMEMBERED_MAX) return;
  offers.set(key, { owner, item, offer, endsAt: now + offer.ttl_ms, ableSince: same ? known.ableSince : undefined });
}

function dropEnded(offers: OpenOffers, now: number): void {
  for (const [key, open] of offers) if (now >= open.endsAt) offers.delete(key);
}

/** Chooses which offers to claim; expired offers are dropped. */
export function chooseClaims(offers: OpenOffers, context: ClaimContext): Claiming {
  const claims: ChosenClaim[] = [];
  let lookAt: number | undefined;
  let free = context.slotsFree;
  let space = context.diskFree ?? Number.POSITIVE_INFINITY;
  for (const [key, open] of offers) {
    if (context.now >= open.endsAt) {
      offers.delete(key);
      continue;
    }
    const slots = countSlots(open.offer.need);
    const needed = placementOf(open).need.disk_bytes ?? 0;
    if (slots > free || needed > space) {
      setAble(offers, key, open, undefined);
      continue;
    }
    const due = judge(offers, key, open, context);
    if (due === undefined) continue;
    if (due.at > context.now) {
      lookAt = Math.min(lookAt ?? due.at, due.at);
      continue;
    }
    free -= slots;
    space -= needed;
    claims.push({ standing: open, rank: due.rank });
  }
  return { claims, lookAt };
}

function judge(
  offers: OpenOffers,
  key: string,
  open: OpenOffer,
  context: ClaimContext,
): { readonly at: number; readonly rank: number } | undefined {
  const request = placementOf(open);
  const own = context.members.get(context.self);
  const able =
    own !== undefined &&
    findObstacle(own, request, context.now, context.mesh) === undefined &&
    (open.owner === context.self || context.accepts(open.owner)) &&
    !context.holds(open.owner, open.item);
  if (!able) {
    setAble(offers, key, open, undefined);
    return undefined;
  }
  const since = open.ableSince ?? context.now;
  setAble(offers, key, open, since);
  const due = countDue(context.now - since, context.stepMs);
  const rank = findRank(context.members, context.self, request, context.now, context.mesh, due + RANKS_AHEAD);
  return rank < 0 ? undefined : { at: since + claimDelayMs(rank, context.stepMs), rank };
}

/** Ranks are computed exactly this far beyond those that are due; an ack usually arrives before any later one is. */
const RANKS_AHEAD = 4;

function setAble(offers: OpenOffers, key: string, open: OpenOffer, since: number | undefined): void {
  if (open.ableSince !== since) offers.set(key, { ...open, ableSince: since });
}

/** The placement request of an offer. */
export function placementOf(open: Pick<OpenOffer, 'owner' | 'item' | 'offer'>): PlacementRequest {
  const { offer } = open;
  return {
    owner: open.owner,
    item: open.item,
    epoch: offer.epoch,
    need: needOf(offer),
    avoid: offer.avoid,
    deferred: offer.deferred,
  };
}

/** What an offer needs, including the disk space, which earlier versions do not name. */
export function needOf({ need, size_bytes }: Offer): Need {
  const needed = spaceNeeded(need, size_bytes);
  return needed === 0 ? need : { ...need, disk_bytes: needed };
}
