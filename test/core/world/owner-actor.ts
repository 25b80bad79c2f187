/** The owner of the item: its pure steps, its journal, and its effects on the world. */
import type { Effect, Publish } from '../../../src/core/effects.js';
import type { ItemInput } from '../../../src/core/owner/inputs.js';
import { readItemRecord, type JournalledItem } from '../../../src/core/owner/item-record.js';
import { fromRecord, isSettled, type OwnedItem } from '../../../src/core/owner/owned-item.js';
import { openItem, stepOwner, nextTimerAt } from '../../../src/core/owner/step.js';
import type { Item } from '../../../src/protocol/item.js';
import { instant, ownerRules } from '../../support/samples.js';
import { createEffectQueue } from './effect-queue.js';
import { RECEIVERS } from './plan.js';
import type { Timeline } from './timeline.js';

export interface OwnerActor {
  state(): OwnedItem | undefined;
  handle(input: ItemInput): void;
  crash(): void;
  restart(): void;
}

export interface OwnerActorDeps {
  readonly timeline: Timeline;
  readonly item: Item;
  chance(max: number): number;
  publish(message: Publish): void;
  /** Whether the outputs of this epoch can be fetched now. */
  canFetch(epoch: number): boolean;
}

const bundle = { sha256: 'a'.repeat(64), bytes: 3, count: 1 };
/** Interval at which it checks whether the item can be offered, ms. */
const OFFER_CHECK_MS = 20;

export function createOwnerActor(deps: OwnerActorDeps): OwnerActor {
  const { timeline } = deps;
  let record: JournalledItem | undefined;
  let state: OwnedItem | undefined;
  let boot = 0;
  let wakesAt = Number.POSITIVE_INFINITY;
  const queue = createEffectQueue({
    timeline,
    // Sometimes the disk is slow, so that crashes find writes half done.
    writeMs: () => deps.chance(deps.chance(9) === 0 ? 500 : 5),
    write: (_key, value) => {
      record = value as JournalledItem;
    },
    perform,
  });

  function enter(next: OwnedItem, effects: readonly Effect[]): void {
    state = next;
    queue.enqueue(effects);
    wakeLater();
  }

  function handle(input: ItemInput): void {
    if (state === undefined) return;
    const step = stepOwner(state, input, instant(timeline.now()), ownerRules);
    enter(step.state, step.effects);
  }

  function wakeLater(): void {
    const at = state === undefined ? undefined : nextTimerAt(state, ownerRules);
    if (at === undefined || at >= wakesAt) return;
    wakesAt = at;
    soon(Math.max(0, at - timeline.now()), () => {
      wakesAt = Number.POSITIVE_INFINITY;
      if (state !== undefined && (nextTimerAt(state, ownerRules) ?? Number.POSITIVE_INFINITY) <= timeline.now())
        handle({ type: 'TimePassed' });
      else wakeLater();
    });
  }

  /** Runs `act` after a delay unless the node's boot has ended by then. */
  function soon(ms: number, act: () => void): void {
    const begun = boot;
    timeline.after(ms, () => {
      if (boot === begun) act();
    });
  }

  function checkOffer(): void {
    const open = RECEIVERS.some((node) => state?.avoid.includes(node) === false && (state.target ?? node) === node);
    if (state?.phase === 'queued' && open) handle({ type: 'OfferChosen', reason: 'in sight' });
    soon(OFFER_CHECK_MS, checkOffer);
  }

  function perform(effect: Exclude<Effect, { type: 'Persist' }>): void {
    const emit = (input: ItemInput): void => soon(1 + deps.chance(20), () => handle(input));
    switch (effect.type) {
      case 'Publish':
        return deps.publish(effect);
      case 'Stage':
      case 'Restage':
        return emit({ type: 'ItemStaged', bundle, image: false });
      case 'FetchHome':
        return soon(1 + deps.chance(50), () =>
          handle(
            deps.canFetch(effect.epoch)
              ? { type: 'HomeFetched', epoch: effect.epoch }
              : { type: 'HomeFetchFailed', epoch: effect.epoch, reason: 'not reached', final: false },
          ),
        );
      case 'Place':
        return emit({ type: 'HomePlaced', epoch: effect.epoch });
      case 'Carry':
        return emit({ type: 'ItemCarried', epoch: effect.epoch, bundle, image: false });
      default:
    }
  }

  const opened = openItem({ type: 'ItemSubmitted', item: deps.item }, instant(timeline.now()), ownerRules);
  enter(opened.state, opened.effects);
  checkOffer();

  return {
    state: () => state,
    handle,
    crash: () => {
      // If the node died before the submission was safe, it would not know the item at all.
      if (record === undefined || state === undefined || isSettled(record.phase)) return;
      boot += 1;
      queue.drop();
      state = undefined;
      wakesAt = Number.POSITIVE_INFINITY;
    },
    restart: () => {
      if (state !== undefined || record === undefined) return;
      state = fromRecord(readItemRecord(record), timeline.now());
      handle({ type: 'NodeRestarted', rolledBack: false });
      checkOffer();
    },
  };
}
