/** A receiver: its guests' pure steps, its journal, and what it does through the world. It claims whatever it hears. */
import type { Effect, Say } from '../../../src/core/effects.js';
import { hearAck } from '../../../src/core/receiver/accept.js';
import { claimOffer } from '../../../src/core/receiver/claim.js';
import {
  fromGuestRecord,
  guestName,
  isLive,
  type Guest,
  type GuestRecord,
  type ReceiverRules,
} from '../../../src/core/receiver/guest.js';
import type { ReceiverInput } from '../../../src/core/receiver/inputs.js';
import { guestWakeTime, stepReceiver } from '../../../src/core/receiver/step.js';
import type { Item } from '../../../src/protocol/item.js';
import type { Ack, Offer } from '../../../src/protocol/work-messages.js';
import { createOffer, instant, receiverRules } from '../samples.js';
import { createEffectQueue, type EffectQueue } from './effect-queue.js';
import type { Ending, Executor } from './executor.js';
import type { Timeline } from './timeline.js';

export interface ReceiverActor {
  hear(message: Say): void;
  ended(guest: string, ending: Ending): void;
  crash(): void;
  restart(): void;
  /** Its guests by name; none while it is down. */
  guests(): ReadonlyMap<string, Guest>;
  isUp(): boolean;
}

export interface ReceiverParts {
  readonly self: string;
  readonly item: Item;
  readonly runMs: number;
  readonly outputs: boolean;
  readonly timeline: Timeline;
  readonly executor: Executor;
  /** How far this machine's clock is ahead of the world's, ms. */
  readonly aheadMs: number;
  chance(max: number): number;
  say(message: Say): void;
}

export function createReceiverActor(parts: ReceiverParts): ReceiverActor {
  const { timeline, executor, self } = parts;
  const journal = new Map<string, GuestRecord>();
  const guests = new Map<string, Guest>();
  const queues = new Map<string, EffectQueue>();
  let isUp = true;
  let life = 1;
  let claims = 0;

  const rules = (): ReceiverRules => ({ ...receiverRules, self, renewalBase: life * 1_000_000 });
  const now = (): number => timeline.now() + parts.aheadMs;

  function soon(ms: number, happen: () => void): void {
    const begun = life;
    timeline.after(ms, () => {
      if (life === begun && isUp) happen();
    });
  }

  function enter(name: string, guest: Guest | null, effects: readonly Effect[]): void {
    if (guest === null) guests.delete(name);
    else guests.set(name, guest);
    queueOf(name).take(effects);
    if (guest !== null) soon(Math.max(0, guestWakeTime(guest, rules()) - now()), () => wake(name, guest));
  }

  function wake(name: string, guest: Guest): void {
    // Only the newest state's timer counts.
    if (guests.get(name) === guest) feed(name, { type: 'TimePassed' });
  }

  function feed(name: string, input: ReceiverInput): boolean {
    const guest = guests.get(name);
    if (guest === undefined) return false;
    const step = stepReceiver(guest, input, instant(now()), rules());
    if (step.state !== guest || input.type === 'TimePassed') enter(name, step.state, step.effects);
    else queueOf(name).take(step.effects);
    return true;
  }

  function queueOf(name: string): EffectQueue {
    const known = queues.get(name);
    if (known !== undefined) return known;
    const queue = createEffectQueue({
      timeline,
      // Now and then a disk is slow: what a crash finds half done is what matters.
      writeMs: () => parts.chance(parts.chance(9) === 0 ? 500 : 5),
      write: (key, value) => {
        if (value === undefined) journal.delete(key);
        else journal.set(key, value as GuestRecord);
      },
      perform: (effect) => perform(name, effect),
    });
    queues.set(name, queue);
    return queue;
  }

  function perform(name: string, effect: Exclude<Effect, { type: 'Persist' }>): void {
    const tell = (input: ReceiverInput): void => soon(1 + parts.chance(20), () => feed(name, input));
    switch (effect.type) {
      case 'Say':
        return parts.say(effect);
      case 'FetchInputs':
        return tell({ type: 'InputsFetched', command: parts.item.command });
      case 'StartRun':
        if (now() >= effect.leaseEndsAt) return tell({ type: 'RunFailed', reason: 'too late' });
        executor.start(self, name, parts.runMs, effect.guardAt - now());
        return tell({ type: 'RunStarted', handle: { pid: 1, start: '1' } });
      case 'AdoptRun':
        return tell(lookFor(name, effect.handle === null));
      case 'ExtendRun':
        return executor.extend(name, effect.guardAt - now());
      case 'StopRun':
        return executor.stop(name, parts.chance(effect.graceMs));
      case 'Collect':
        return tell({ type: 'Collected', bundle: { sha256: 'c'.repeat(64), bytes: 3, count: parts.outputs ? 1 : 0 } });
      default:
    }
  }

  function lookFor(name: string, isUnknown: boolean): ReceiverInput {
    const state = executor.look(name);
    if (state === 'lives') return { type: 'RunStarted', handle: { pid: 1, start: '1' } };
    if (state !== undefined) return exitOf(state);
    return isUnknown ? { type: 'RunFailed', reason: 'it never started' } : { type: 'RunDied', reason: 'it is gone' };
  }

  function hear(message: Say): void {
    if (!isUp) return;
    if (message.kind === 'offer') return hearOffer(message.body);
    if (message.kind === 'lease') feed(nameOf(message.body.epoch), { type: 'LeaseHeard', lease: message.body });
    if (message.kind === 'ack') takeAck(message.body);
  }

  function nameOf(epoch: number): string {
    return guestName({ owner: 'alpha', item: parts.item.item, epoch });
  }

  function hearOffer(offer: Offer): void {
    const name = nameOf(offer.epoch);
    if (guests.get(name)?.phase === 'claimed') feed(name, { type: 'OfferRepeated', slotsFree: 1, projectedRatio: 0 });
    const held = guests.has(name) || [...guests.values()].some(isLive);
    if (held || offer.avoid.includes(self) || (offer.need.on ?? self) !== self) return;
    claims += 1;
    const terms = {
      owner: 'alpha',
      item: parts.item.item,
      offer,
      rank: parts.chance(2),
      projectedRatio: 0,
      slotsFree: 1,
    };
    const { state, effects } = claimOffer({ ...terms, renewal: rules().renewalBase + claims }, instant(now()), rules());
    enter(name, state, effects);
  }

  function takeAck(ack: Ack): void {
    const name = nameOf(ack.epoch);
    if (feed(name, { type: 'AckHeard', ack, obstacle: undefined }) || ack.to !== self) return;
    const terms = {
      owner: 'alpha',
      item: parts.item.item,
      offer: createOffer({ epoch: ack.epoch }),
      rank: 0,
      renewal: 0,
      projectedRatio: 0,
      slotsFree: 0,
    };
    const stray = claimOffer(terms, instant(now()), rules()).state;
    const refused = hearAck(stray, ack, 'its claim was given up before the ack came', instant(now()), rules());
    enter(name, refused.state, refused.effects);
  }

  return {
    hear,
    ended: (guest, ending) => soon(parts.chance(5), () => feed(guest, exitOf(ending))),
    crash: () => {
      isUp = false;
      for (const queue of queues.values()) queue.lose();
      guests.clear();
    },
    restart: () => {
      if (isUp) return;
      isUp = true;
      life += 1;
      for (const record of journal.values()) {
        const name = guestName(record);
        guests.set(name, fromGuestRecord(record, instant(now()), rules()));
        feed(name, { type: 'NodeRestarted' });
      }
    },
    guests: () => guests,
    isUp: () => isUp,
  };
}

function exitOf(ending: Ending): ReceiverInput {
  return {
    type: 'RunExited',
    exitCode: ending === 'exited' ? 0 : 143,
    signal: ending === 'exited' ? null : 'SIGTERM',
    cpuS: 0,
    runMs: 1,
  };
}
