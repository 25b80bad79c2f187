/**
 * Wires the stages that decide about the whole. When the inbox has settled and something changed that they depend on,
 * deferred items wake, queued ones are offered, and open offers are claimed. At fixed intervals, items are shed and
 * ended ones retired.
 */
import { filter, interval, map, merge, scan, share, type Observable } from 'rxjs';
import { isActive } from '../core/processes/scum-policy.js';
import type { NodeInput } from '../pipelines/inputs.js';
import { offerItems } from '../pipelines/owner/offer.js';
import { retireItems } from '../pipelines/owner/retire.js';
import { shedItems } from '../pipelines/owner/shed.js';
import { wakeItems } from '../pipelines/owner/wake.js';
import { claimOffers } from '../pipelines/receiver/claim.js';
import type { NodeContext } from './context.js';
import {
  claimContext,
  eachItem,
  isTimeToWake,
  offerContext,
  runningHere,
  shedContext,
  wakeContext,
} from './decision-context.js';
import { RUNNING_KEY } from './recover-journal.js';

/** How often the node's running time is written down, ms. */
const RUNNING_MS = 60_000;

/** How often the node looks for ended items to retire, ms. */
const RETIRE_MS = 60_000;

/** How often a node checks whether to shed an item, ms. */
const SHED_MS = 1000;

/**
 * Wires them, in this order: an item that wakes is offered in the same settling, and an offered one may be claimed in
 * it.
 */
export function wireDecisions(context: NodeContext): void {
  const due$ = whenDue(context);
  // Each decision is an input again, so no stage sees another one's work half done.
  const decisions: readonly Observable<NodeInput>[] = [
    wakeDecisions(context, due$),
    offerDecisions(context, due$),
    claimDecisions(context, due$),
    shedDecisions(context),
  ];
  for (const decision$ of decisions) context.live(decision$).subscribe(context.inbox.push);
  writeRunningTime(context);
  retireEnded(context);
}

function wakeDecisions(context: NodeContext, due$: Observable<void>): Observable<NodeInput> {
  const { sleeping } = context.itemLists;
  return wakeItems(due$.pipe(filter(() => sleeping.size > 0 && isTimeToWake(context))), {
    sleeping: () => eachItem(context, sleeping),
    context: () => wakeContext(context),
  });
}

function offerDecisions(context: NodeContext, due$: Observable<void>): Observable<NodeInput> {
  const { queued, unexplained } = context.itemLists;
  return offerItems(due$.pipe(filter(() => queued.size > 0)), {
    queue: () => eachItem(context, queued),
    unexplained: () => eachItem(context, unexplained),
    context: () => offerContext(context),
  });
}

function claimDecisions(context: NodeContext, due$: Observable<void>): Observable<NodeInput> {
  const { openOffers, clock } = context;
  return claimOffers(due$.pipe(filter(() => openOffers.size > 0)), {
    openOffers,
    clock,
    context: () => claimContext(context),
  });
}

/** Only a PLUS node sheds; the others need not go through their items. */
function shedDecisions(context: NodeContext): Observable<NodeInput> {
  const { clock, nodeState, settings } = context;
  const sheds = isActive(settings.scum.migrate);
  const checks$ = interval(SHED_MS, clock.scheduler).pipe(filter(() => sheds && nodeState.state()?.trit === 1));
  return shedItems(checks$, { running: () => runningHere(context), context: () => shedContext(context) });
}

/**
 * Emits when all inputs are processed and something changed that decisions depend on, once this node knows its own
 * state.
 */
function whenDue(context: NodeContext): Observable<void> {
  const isReady = (): boolean => isWorkInSight(context) && context.nodeState.state() !== undefined;
  return merge(
    context.dirty$.pipe(map(() => 'dirty' as const)),
    context.settled$.pipe(map(() => 'settled' as const)),
  ).pipe(
    scan(
      ({ isDirty }, event) => {
        const isDue = event === 'settled' && isDirty && isReady();
        return { isDirty: event === 'dirty' || (isDirty && !isDue), isDue };
      },
      { isDirty: true, isDue: false },
    ),
    filter(({ isDue }) => isDue),
    map(() => undefined),
    share(),
  );
}

/** Whether there is anything to wake, offer or claim: mostly there is not, and then nothing needs to be checked. */
function isWorkInSight({ itemLists, openOffers }: NodeContext): boolean {
  return itemLists.sleeping.size > 0 || itemLists.queued.size > 0 || openOffers.size > 0;
}

function writeRunningTime({ clock, effectQueue, running, live }: NodeContext): void {
  live(interval(RUNNING_MS, clock.scheduler)).subscribe(() => {
    effectQueue.enqueue('node', [{ type: 'Persist', key: RUNNING_KEY, value: Math.round(running()) }]);
  });
}

function retireEnded({ clock, ownedItems, settings, running, live, retire }: NodeContext): void {
  const retired$ = retireItems(interval(RETIRE_MS, clock.scheduler), ownedItems, settings.keepSettledMs, running);
  live(retired$).subscribe(retire);
}
