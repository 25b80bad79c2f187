/** The owner of the one item: its pure steps, its journal, and what it does through the world. */
import type { Effect, Say } from '../../../src/core/effects.js';
import type { OwnerInput } from '../../../src/core/owner/inputs.js';
import type { ItemRecord } from '../../../src/core/owner/item-record.js';
import { fromRecord, isSettled, type OwnedItem } from '../../../src/core/owner/owned-item.js';
import { openItem, stepOwner, wakeTime } from '../../../src/core/owner/step.js';
import type { Item } from '../../../src/protocol/item.js';
import { instant, ownerRules } from '../samples.js';
import { createEffectQueue } from './effect-queue.js';
import { RECEIVERS } from './plan.js';
import type { Timeline } from './timeline.js';

export interface OwnerActor {
  state(): OwnedItem | undefined;
  hear(input: OwnerInput): void;
  crash(): void;
  restart(): void;
}

export interface OwnerParts {
  readonly timeline: Timeline;
  readonly item: Item;
  chance(max: number): number;
  say(message: Say): void;
  /** Whether the outputs of this epoch can be fetched now. */
  canFetch(epoch: number): boolean;
}

const bundle = { sha256: 'a'.repeat(64), bytes: 3, count: 1 };
/** How often it looks whether the item can be offered, ms. */
const LOOK_MS = 20;

export function createOwnerActor(parts: OwnerParts): OwnerActor {
  const { timeline } = parts;
  let record: ItemRecord | undefined;
  let state: OwnedItem | undefined;
  let life = 0;
  let wakesAt = Number.POSITIVE_INFINITY;
  const queue = createEffectQueue({
    timeline,
    // Now and then a disk is slow: what a crash finds half done is what matters.
    writeMs: () => parts.chance(parts.chance(9) === 0 ? 500 : 5),
    write: (_key, value) => {
      record = value as ItemRecord;
    },
    perform,
  });

  function enter(next: OwnedItem, effects: readonly Effect[]): void {
    state = next;
    queue.take(effects);
    wakeLater();
  }

  function hear(input: OwnerInput): void {
    if (state === undefined) return;
    const step = stepOwner(state, input, instant(timeline.now()), ownerRules);
    enter(step.state, step.effects);
  }

  function wakeLater(): void {
    const at = state === undefined ? undefined : wakeTime(state, ownerRules);
    if (at === undefined || at >= wakesAt) return;
    wakesAt = at;
    soon(Math.max(0, at - timeline.now()), () => {
      wakesAt = Number.POSITIVE_INFINITY;
      if (state !== undefined && (wakeTime(state, ownerRules) ?? Number.POSITIVE_INFINITY) <= timeline.now())
        hear({ type: 'TimePassed' });
      else wakeLater();
    });
  }

  /** Something of this life of the node only. */
  function soon(ms: number, happen: () => void): void {
    const begun = life;
    timeline.after(ms, () => {
      if (life === begun) happen();
    });
  }

  function look(): void {
    const open = RECEIVERS.some((node) => state?.avoid.includes(node) === false && (state.target ?? node) === node);
    if (state?.phase === 'queued' && open) hear({ type: 'OfferChosen', reason: 'in sight' });
    soon(LOOK_MS, look);
  }

  function perform(effect: Exclude<Effect, { type: 'Persist' }>): void {
    const tell = (input: OwnerInput): void => soon(1 + parts.chance(20), () => hear(input));
    switch (effect.type) {
      case 'Say':
        return parts.say(effect);
      case 'Stage':
      case 'Restage':
        return tell({ type: 'ItemStaged', bundle, image: false });
      case 'FetchHome':
        return soon(1 + parts.chance(50), () =>
          hear(
            parts.canFetch(effect.epoch)
              ? { type: 'HomeFetched', epoch: effect.epoch }
              : { type: 'HomeFetchFailed', epoch: effect.epoch, reason: 'not reached', final: false },
          ),
        );
      case 'Place':
        return tell({ type: 'HomePlaced', epoch: effect.epoch });
      case 'Carry':
        return tell({ type: 'ItemCarried', epoch: effect.epoch, bundle, image: false });
      default:
    }
  }

  const opened = openItem({ type: 'ItemSubmitted', item: parts.item }, instant(timeline.now()), ownerRules);
  enter(opened.state, opened.effects);
  look();

  return {
    state: () => state,
    hear,
    crash: () => {
      // A node that dies before the submission is safe never knew the item; that world is not interesting.
      if (record === undefined || state === undefined || isSettled(record.phase)) return;
      life += 1;
      queue.lose();
      state = undefined;
      wakesAt = Number.POSITIVE_INFINITY;
    },
    restart: () => {
      if (state !== undefined || record === undefined) return;
      state = fromRecord(record, timeline.now());
      hear({ type: 'NodeRestarted', rolledBack: false });
      look();
    },
  };
}
