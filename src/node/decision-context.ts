/**
 * The inputs of the node's decisions: one record for each, read from the node when the decision is due. The decisions
 * themselves are the core's.
 */
import { deriveSum } from '../core/mesh/member-table.js';
import { isBeingMoved } from '../core/owner/move.js';
import { slotsOf, type OwnedItem } from '../core/owner/owned-item.js';
import type { OfferContext } from '../core/placement/offering.js';
import type { ClaimContext } from '../core/placement/open-offers.js';
import type { RunningHere, ShedContext } from '../core/placement/shedding.js';
import type { WakeContext } from '../core/placement/waking.js';
import { guestName } from '../core/receiver/guest-name.js';
import { isLive } from '../core/receiver/guest.js';
import { acceptsOwner } from '../core/receiver/policy.js';
import type { Direction, State } from '../protocol/messages.js';
import type { NodeContext } from './context.js';

/** The items of these ids, in their order, one at a time: most readers do not need all of them. */
export function* eachItem(context: NodeContext, ids: Iterable<string>): Generator<OwnedItem> {
  for (const id of ids) {
    const state = context.ownedItems.get(id);
    if (state !== undefined) yield state;
  }
}

/** Whether deferred items may wake at all now: only then are they gone through. */
export function isTimeToWake(context: NodeContext): boolean {
  return directionNow(context) === 'wake';
}

function directionNow(context: NodeContext): Direction {
  return deriveSum(context.members, context.clock.now(), context.settings.mesh).direction;
}

function commonContext(context: NodeContext): Pick<OfferContext, 'self' | 'members' | 'mesh' | 'now'> {
  const { settings, members, clock, reach } = context;
  return { self: settings.id, members, mesh: reach.rules(), now: clock.now() };
}

/** Input of the offer decision. */
export function offerContext(context: NodeContext): OfferContext {
  return {
    ...commonContext(context),
    trit: stateOf(context).trit,
    direction: directionNow(context),
    rebalance: context.settings.rebalance,
    outstanding: context.itemLists.offered.size,
    standing: Math.max(context.openOffers.size, context.itemLists.offered.size),
  };
}

/** Input of the wake decision. */
export function wakeContext(context: NodeContext): WakeContext {
  // A queued item that no node can take needs no slot: it must not keep others asleep.
  let slotsAsked = 0;
  for (const state of eachItem(context, context.itemLists.queued)) {
    if (state.blocked.length === 0) slotsAsked += slotsOf(state);
  }
  for (const state of eachItem(context, context.itemLists.offered)) slotsAsked += slotsOf(state);
  return { ...commonContext(context), direction: directionNow(context), slotsAsked };
}

/** Input of the claim decision. */
export function claimContext(context: NodeContext): ClaimContext {
  const { settings, nodeState, reach } = context;
  return {
    ...commonContext(context),
    stepMs: settings.claimStepMs,
    slotsFree: stateOf(context).slots_free,
    diskFree: stateOf(context).disk_free_bytes,
    holds: (owner, item) => holds(context.heldGuests.values(), owner, item),
    // A claim that its owner cannot hear would only occupy a slot.
    accepts: (owner) => !reach.isAlone && acceptsOwner(nodeState.acceptance(), owner),
  };
}

function holds(guests: Iterable<Parameters<typeof isLive>[0]>, owner: string, item: string): boolean {
  for (const guest of guests) {
    if (guest.owner === owner && guest.item === item && isLive(guest)) return true;
  }
  return false;
}

/** Input of each decision to move something that nobody asked to move. */
export function shedContext(context: NodeContext): ShedContext {
  const { settings } = context;
  const state = stateOf(context);
  const states = [...context.ownedItems.values()];
  return {
    ...commonContext(context),
    moves: settings.moves,
    trit: state.trit,
    loadRatio: state.load_ratio,
    direction: directionNow(context),
    rebalance: settings.rebalance,
    lastMoveAt: states.reduce((latest, one) => Math.max(latest, one.movedAt), Number.NEGATIVE_INFINITY),
    moving: states.some(isBeingMoved),
    excluded: context.moves.excluded(),
    paceTo: context.moves.paceTo,
  };
}

/** This node's own items that run on this machine. */
export function runningHere(context: NodeContext): RunningHere[] {
  const { itemLists, guestIndex, settings } = context;
  return [...eachItem(context, itemLists.held)]
    .filter((state) => state.receiver === settings.id && state.phase === 'running')
    .map((state) => ({
      state,
      ...guestIndex.usage(guestName({ owner: settings.id, item: state.spec.id, epoch: state.epoch })),
    }));
}

/** This node's own state; the stages are due only once there is one. */
function stateOf(context: NodeContext): State {
  const state = context.nodeState.state();
  if (state === undefined) throw new Error('a stage was due before the first load sample');
  return state;
}
