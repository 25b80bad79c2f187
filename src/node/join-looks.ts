/**
 * Joins the stages that look at the whole: when the inbox is quiet and something stirred, sleeping items wake, waiting ones
 * are offered, standing offers are claimed; now and then something is shed, and ended items are retired.
 */
import { filter, interval, share, type Observable } from 'rxjs';
import { deriveSum } from '../core/mesh.js';
import type { ClaimingFacts } from '../core/offer-book.js';
import type { OfferingFacts } from '../core/offering.js';
import { isBeingMoved } from '../core/owner/move.js';
import { slotsOf, type OwnedItem } from '../core/owner/owned-item.js';
import { guestName, isLive } from '../core/receiver/guest.js';
import { isActive } from '../core/scum-policy.js';
import type { RunningHere, SheddingFacts } from '../core/shedding.js';
import type { WakingFacts } from '../core/waking.js';
import type { Direction, State } from '../protocol/messages.js';
import { claimOffers } from '../pipelines/claim.js';
import { offerItems } from '../pipelines/offer.js';
import { retireItems } from '../pipelines/retire.js';
import { shedItems } from '../pipelines/shed.js';
import { wakeItems } from '../pipelines/wake.js';
import { RUNNING_KEY } from './restore.js';
import { acceptsOwner } from './acceptance.js';
import type { Workbench } from './context.js';

/** How often it is written down how long the node has run, ms. */
const RUNNING_MS = 60_000;

/** How often ended items are looked through, ms. */
const RETIRE_MS = 60_000;

/** How often a node looks whether it should send something away, ms. */
const SHED_MS = 1000;

/** Joins them. */
export function joinLooks(bench: Workbench): void {
  const { inbox, own, clock } = bench;
  const due$ = whenStirred(bench);
  // Each stage pushes inputs, and so makes the inbox loud again: none sees what another has only half done.
  bench
    .live(
      wakeItems(due$.pipe(filter(() => own.sleeping.size > 0)), {
        sleeping: () => pick(bench, own.sleeping),
        facts: () => wakingFacts(bench),
      }),
    )
    .subscribe(inbox.push);
  bench
    .live(
      offerItems(due$.pipe(filter(() => own.queued.size > 0)), {
        queue: () => pick(bench, own.queued),
        facts: () => offeringFacts(bench),
      }),
    )
    .subscribe(inbox.push);
  bench
    .live(
      claimOffers(due$.pipe(filter(() => bench.book.size > 0)), {
        book: bench.book,
        clock,
        facts: () => claimingFacts(bench),
      }),
    )
    .subscribe(inbox.push);
  // Only a PLUS node sheds; the others need not look through their items.
  const sheds = isActive(bench.settings.scum.migrate);
  const looks$ = interval(SHED_MS, clock.scheduler).pipe(filter(() => sheds && bench.condition.state()?.trit === 1));
  bench
    .live(shedItems(looks$, { running: () => runningHere(bench), facts: () => sheddingFacts(bench) }))
    .subscribe(inbox.push);
  joinRunningTime(bench);
  const retired$ = retireItems(
    interval(RETIRE_MS, clock.scheduler),
    own.ledger.states,
    bench.settings.keepSettledMs,
    bench.running,
  );
  bench.live(retired$).subscribe(bench.retire);
}

function joinRunningTime({ clock, gate, running, live }: Workbench): void {
  live(interval(RUNNING_MS, clock.scheduler)).subscribe(() => {
    gate.take('node', [{ type: 'Persist', key: RUNNING_KEY, value: Math.round(running()) }]);
  });
}

/** Emits when the inbox is quiet after something stirred, once this node knows its own condition. */
function whenStirred(bench: Workbench): Observable<void> {
  let stirred = true;
  bench.live(bench.stirred$).subscribe(() => {
    stirred = true;
  });
  return bench.inbox.quiet$.pipe(
    filter(() => {
      bench.condition.keepFresh();
      const due = stirred && isWorkInSight(bench) && bench.condition.state() !== undefined;
      if (due) stirred = false;
      return due;
    }),
    share(),
  );
}

/** Whether there is anything to wake, offer or claim at all: mostly there is not, and then nobody need look. */
function isWorkInSight({ own, book }: Workbench): boolean {
  return own.sleeping.size > 0 || own.queued.size > 0 || book.size > 0;
}

function pick(bench: Workbench, ids: Iterable<string>): OwnedItem[] {
  const states: OwnedItem[] = [];
  for (const id of ids) {
    const state = bench.own.ledger.states.get(id);
    if (state !== undefined) states.push(state);
  }
  return states;
}

function directionNow(bench: Workbench): Direction {
  return deriveSum(bench.view, bench.clock.now(), bench.settings.mesh).direction;
}

function common(bench: Workbench): Pick<OfferingFacts, 'self' | 'view' | 'mesh' | 'now'> {
  const { settings, view, clock, reach } = bench;
  return { self: settings.id, view, mesh: reach.rules(), now: clock.now() };
}

function offeringFacts(bench: Workbench): OfferingFacts {
  return {
    ...common(bench),
    trit: stateOf(bench).trit,
    direction: directionNow(bench),
    rebalance: bench.settings.rebalance,
    outstanding: bench.own.offered.size,
    standing: Math.max(bench.book.size, bench.own.offered.size),
  };
}

function wakingFacts(bench: Workbench): WakingFacts {
  // A queued item that nobody can take asks for no slot: it must not keep others asleep.
  const queued = pick(bench, bench.own.queued).filter((state) => state.blocked.length === 0);
  const awake = [...queued, ...pick(bench, bench.own.offered)];
  const slotsAsked = awake.reduce((sum, state) => sum + slotsOf(state), 0);
  return { ...common(bench), direction: directionNow(bench), slotsAsked };
}

function claimingFacts(bench: Workbench): ClaimingFacts {
  const { settings, host, condition, reach } = bench;
  return {
    ...common(bench),
    stepMs: settings.claimStepMs,
    slotsFree: stateOf(bench).slots_free,
    diskFree: stateOf(bench).disk_free_bytes,
    holds: (owner, item) => holds(host.ledger.states.values(), owner, item),
    // A claim that its owner cannot hear would only take a slot.
    accepts: (owner) => !reach.isAlone && acceptsOwner(settings, condition, owner),
  };
}

function holds(guests: Iterable<Parameters<typeof isLive>[0]>, owner: string, item: string): boolean {
  for (const guest of guests) {
    if (guest.owner === owner && guest.item === item && isLive(guest)) return true;
  }
  return false;
}

/** What every move that nobody asked for goes by. */
export function sheddingFacts(bench: Workbench): SheddingFacts {
  const { settings, own } = bench;
  const state = stateOf(bench);
  const states = [...own.ledger.states.values()];
  return {
    ...common(bench),
    moves: settings.moves,
    trit: state.trit,
    loadRatio: state.load_ratio,
    direction: directionNow(bench),
    rebalance: settings.rebalance,
    lastMoveAt: states.reduce((latest, one) => Math.max(latest, one.movedAt), Number.NEGATIVE_INFINITY),
    moving: states.some(isBeingMoved),
    leftAlone: bench.moves.leftAlone(),
    paceTo: bench.moves.paceTo,
  };
}

/** This node's own items that run on this machine. */
function runningHere(bench: Workbench): RunningHere[] {
  const { own, guests, settings } = bench;
  return pick(bench, own.held)
    .filter((state) => state.receiver === settings.id && state.phase === 'running')
    .map((state) => ({
      state,
      ...guests.usage(guestName({ owner: settings.id, item: state.item.item, epoch: state.epoch })),
    }));
}

/** This node's own state; the stages are due only once there is one. */
function stateOf(bench: Workbench): State {
  const state = bench.condition.state();
  if (state === undefined) throw new Error('a stage was due before the first load sample');
  return state;
}
