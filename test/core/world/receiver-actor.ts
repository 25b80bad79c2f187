/** A receiver: the pure steps of its guests, its journal, and its effects on the world. It claims every offer. */
import { explain } from '../../../src/protocol/reasons.js';
import type { Effect, Publish } from '../../../src/core/effects.js';
import { handleAck } from '../../../src/core/receiver/accept.js';
import { claimOffer } from '../../../src/core/receiver/claim.js';
import {
  fromGuestRecord,
  isLive,
  type Guest,
  type GuestRecord,
  type ReceiverRules,
} from '../../../src/core/receiver/guest.js';
import { guestName } from '../../../src/core/receiver/guest-name.js';
import type { GuestInput } from '../../../src/core/receiver/inputs.js';
import { nextGuestTimerAt, stepReceiver } from '../../../src/core/receiver/step.js';
import type { Item } from '../../../src/protocol/item.js';
import type { Ack, Offer } from '../../../src/protocol/work-messages.js';
import { createOffer, instant, receiverRules } from '../../support/samples.js';
import { createEffectQueue, type EffectQueue } from './effect-queue.js';
import type { Ending, Executor } from './executor.js';
import type { Timeline } from './timeline.js';

export interface ReceiverActor {
  handle(message: Publish): void;
  ended(guest: string, ending: Ending): void;
  crash(): void;
  restart(): void;
  /** Its guests by name; none while it is down. */
  guests(): ReadonlyMap<string, Guest>;
  isUp(): boolean;
}

export interface ReceiverActorDeps {
  readonly self: string;
  readonly item: Item;
  readonly runMs: number;
  /** How late a start is reported at most, ms. */
  readonly lateStartMs: number;
  readonly outputs: boolean;
  readonly timeline: Timeline;
  readonly executor: Executor;
  /** How far this machine's clock is ahead of the world's, ms. */
  readonly aheadMs: number;
  chance(max: number): number;
  publish(message: Publish): void;
}

export function createReceiverActor(deps: ReceiverActorDeps): ReceiverActor {
  const { timeline, executor, self } = deps;
  const journal = new Map<string, GuestRecord>();
  const guests = new Map<string, Guest>();
  const queues = new Map<string, EffectQueue>();
  let isUp = true;
  let boot = 1;
  let claims = 0;

  const rules = (): ReceiverRules => ({ ...receiverRules, self, silentMs: 40, renewalBase: boot * 1_000_000 });
  const now = (): number => timeline.now() + deps.aheadMs;

  function soon(ms: number, act: () => void): void {
    const begun = boot;
    timeline.after(ms, () => {
      if (boot === begun && isUp) act();
    });
  }

  function enter(name: string, guest: Guest | null, effects: readonly Effect[]): void {
    if (guest === null) guests.delete(name);
    else guests.set(name, guest);
    queueOf(name).enqueue(effects);
    if (guest !== null) soon(Math.max(0, nextGuestTimerAt(guest, rules()) - now()), () => wake(name, guest));
  }

  function wake(name: string, guest: Guest): void {
    // Only the timer of the newest state counts.
    if (guests.get(name) === guest) feed(name, { type: 'TimePassed' });
  }

  function feed(name: string, input: GuestInput): boolean {
    const guest = guests.get(name);
    if (guest === undefined) return false;
    const step = stepReceiver(guest, input, instant(now()), rules());
    if (step.state !== guest || input.type === 'TimePassed') enter(name, step.state, step.effects);
    else queueOf(name).enqueue(step.effects);
    return true;
  }

  function queueOf(name: string): EffectQueue {
    const known = queues.get(name);
    if (known !== undefined) return known;
    const queue = createEffectQueue({
      timeline,
      // Sometimes the disk is slow, so that crashes find writes half done.
      writeMs: () => deps.chance(deps.chance(9) === 0 ? 500 : 5),
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
    const emit = (input: GuestInput): void => soon(1 + deps.chance(20), () => feed(name, input));
    switch (effect.type) {
      case 'Publish':
        return deps.publish(effect);
      case 'FetchInputs':
        return emit({ type: 'InputsFetched', command: deps.item.command });
      case 'StartRun':
        if (now() >= effect.leaseEndsAt) return emit({ type: 'RunFailed', reason: 'too late' });
        executor.start(self, name, deps.runMs, effect.guardAt - now());
        return reportStart(name);
      case 'AdoptRun':
        return emit(findRun(name, effect.handle === null));
      case 'ExtendRun':
        return executor.extend(name, effect.guardAt - now());
      case 'StopRun':
        return executor.stop(name, deps.chance(effect.graceMs));
      case 'Collect':
        return emit({ type: 'Collected', bundle: { sha256: 'c'.repeat(64), bytes: 3, count: deps.outputs ? 1 : 0 } });
      default:
    }
  }

  /** A start may be reported late, or only with the end of the run if that comes first. */
  function reportStart(name: string): void {
    soon(1 + deps.chance(deps.lateStartMs), () => {
      if (executor.stateOf(name) === 'lives') feed(name, { type: 'RunStarted', handle: { pid: 1, start: '1' } });
    });
  }

  function findRun(name: string, isUnknown: boolean): GuestInput {
    const state = executor.stateOf(name);
    if (state === 'lives') return { type: 'RunStarted', handle: { pid: 1, start: '1' } };
    if (state !== undefined) return exitOf(state);
    return isUnknown ? { type: 'RunFailed', reason: 'it never started' } : { type: 'RunDied', reason: 'it is gone' };
  }

  function handle(message: Publish): void {
    if (!isUp) return;
    if (message.kind === 'offer') return handleOffer(message.body);
    if (message.kind === 'lease') feed(nameOf(message.body.epoch), { type: 'LeaseHeard', lease: message.body });
    if (message.kind === 'ack') respondToAck(message.body);
  }

  function nameOf(epoch: number): string {
    return guestName({ owner: 'alpha', item: deps.item.id, epoch });
  }

  function handleOffer(offer: Offer): void {
    const name = nameOf(offer.epoch);
    if (guests.get(name)?.phase === 'claimed') feed(name, { type: 'OfferRepeated', slotsFree: 1, projectedRatio: 0 });
    const held = guests.has(name) || [...guests.values()].some(isLive);
    if (held || offer.avoid.includes(self) || (offer.need.on ?? self) !== self) return;
    claims += 1;
    const terms = {
      owner: 'alpha',
      item: deps.item.id,
      offer,
      rank: deps.chance(2),
      projectedRatio: 0,
      slotsFree: 1,
    };
    const { state, effects } = claimOffer({ ...terms, renewal: rules().renewalBase + claims }, instant(now()), rules());
    enter(name, state, effects);
  }

  function respondToAck(ack: Ack): void {
    const name = nameOf(ack.epoch);
    if (feed(name, { type: 'AckHeard', ack, obstacle: undefined }) || ack.to !== self) return;
    const terms = {
      owner: 'alpha',
      item: deps.item.id,
      offer: createOffer({ epoch: ack.epoch }),
      rank: 0,
      renewal: 0,
      projectedRatio: 0,
      slotsFree: 0,
    };
    const stray = claimOffer(terms, instant(now()), rules()).state;
    const refused = handleAck(stray, ack, explain('claim-given-up'), instant(now()), rules());
    enter(name, refused.state, refused.effects);
  }

  return {
    handle,
    ended: (guest, ending) => soon(deps.chance(5), () => feed(guest, exitOf(ending))),
    crash: () => {
      isUp = false;
      for (const queue of queues.values()) queue.drop();
      guests.clear();
    },
    restart: () => {
      if (isUp) return;
      isUp = true;
      boot += 1;
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

function exitOf(ending: Ending): GuestInput {
  return {
    type: 'RunExited',
    exitCode: ending === 'exited' ? 0 : 143,
    signal: ending === 'exited' ? null : 'SIGTERM',
    cpuS: 0,
    runMs: 1,
  };
}
