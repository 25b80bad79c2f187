/**
 * The owner's step: one item, one fact, the next state and what is to be done. A change that others should see adds the
 * item's status; nothing else is done here but choosing the file that decides.
 */
import { giveUpTime } from '../bus-time.js';
import type { Instant, Step } from '../effects.js';
import { adopting } from './adopt.js';
import { noteHeard } from './direct.js';
import { frozenEnd, passFrozenTime, takeImage } from './checkpoint.js';
import type { ItemSubmitted, OwnerInput } from './inputs.js';
import { hearProgress, leaseEnd, passLeaseTime, repeatOrder } from './lease.js';
import { cancelItem, moveItem, retryItem, takeCarried } from './move.js';
import { avoidEnd, closeRound, hearClaim, openRound, passOver, passRoundTime, passWaitTime } from './offer.js';
import { sayStatus } from './item-status.js';
import { isHeld, type OwnedItem, type OwnerRules } from './owned-item.js';
import { failHome, failPlaced, hearResult, passReturnTime, takeHome, takePlaced } from './result.js';
import { askFetch, noteUnreached } from './way-home.js';
import { failStaging, resumeItem, submitItem, takeStaged, wakeItem } from './submit.js';

/** Takes a new item on. Its status is said at once: one that sleeps may not change for hours. */
export function openItem(submitted: ItemSubmitted, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const { state, effects } = submitItem(submitted, at, rules);
  return { state, effects: [...effects, sayStatus(state, rules.self)] };
}

/** Takes one fact in. */
export function stepOwner(state: OwnedItem, input: OwnerInput, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const step = decide(...hearBy(state, input, at, rules));
  if (!looksDifferent(state, step.state) && input.type !== 'NodeRestarted') return step;
  return { state: step.state, effects: [...step.effects, sayStatus(step.state, rules.self)] };
}

/** By which path it was heard goes with the state, and the answer goes the same way. */
function hearBy(
  state: OwnedItem,
  input: OwnerInput,
  at: Instant,
  rules: OwnerRules,
): [OwnedItem, OwnerInput, Instant, OwnerRules] {
  if (input.type !== 'ProgressHeard' && input.type !== 'ResultHeard') return [state, input, at, rules];
  const known = input.path === 'direct' ? { ...rules, directFrom: input.from } : rules;
  const { epoch } = input.type === 'ProgressHeard' ? input.progress : input.result;
  return [noteHeard(state, input.from, epoch, at, known), input, at, known];
}

function decide(state: OwnedItem, input: OwnerInput, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  switch (input.type) {
    case 'ItemStaged':
      return takeStaged(state, input.bundle, input.image, at);
    case 'StageFailed':
      return failStaging(state, input.reason, at, rules);
    case 'OfferChosen':
      return openRound(state, input.reason, at, rules);
    case 'ItemPassedOver':
      return passOver(state, input.reason, input.blocked);
    case 'WakeChosen':
      return wakeItem(state, input.reason, at);
    case 'ClaimHeard':
      return hearClaim(state, { ...input.claim, from: input.from }, at, rules);
    case 'ProgressHeard':
      return adopting(
        state,
        { from: input.from, epoch: input.progress.epoch, tells: input.progress },
        at,
        rules,
        (known) => hearProgress(known, input.from, input.progress, at, rules),
      );
    case 'ResultHeard':
      return adopting(state, { from: input.from, epoch: input.result.epoch, tells: input.result }, at, rules, (known) =>
        hearResult(known, input.from, input.result, at, rules),
      );
    case 'HomeFetched':
      return takeHome(state, input.epoch);
    case 'HomeFetchFailed':
      return failHome(state, input, at, rules);
    case 'HomeUnreached':
      return noteUnreached(state, input, rules);
    case 'FetchAsked':
      return askFetch(state, input.reason);
    case 'HomePlaced':
      return takePlaced(state, input.epoch, at, rules);
    case 'PlaceFailed':
      return failPlaced(state, input, at, rules);
    case 'ItemCarried':
      return takeHomeCarried(state, input, at, rules);
    case 'CarryFailed':
      return failHome(state, { ...input, final: false }, at, rules);
    case 'CancelAsked':
      return cancelItem(state, input.reason, at, rules);
    case 'MoveAsked':
      return moveItem({ ...state, shun: input.shun ?? [] }, input.to, input.reason, at, rules);
    case 'RetryAsked':
      return retryItem(state, input.reason, at);
    case 'BrokerLost':
      return closeRound(state, at, rules);
    case 'BrokerReturned':
      return repeatOrder(state, at, rules);
    case 'TimePassed':
      return passTime(state, at, rules);
    case 'NodeRestarted':
      return resumeItem(state, input.rolledBack, at, rules);
  }
}

/** What was carried home is what will be served from now on, also when the epoch was given up in the meantime. */
function takeHomeCarried(
  state: OwnedItem,
  { epoch, bundle, image }: Extract<OwnerInput, { type: 'ItemCarried' }>,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  if (state.phase !== 'returning' || epoch !== state.epoch) return takeStaged(state, bundle, image, at);
  return image ? takeImage(state, epoch, bundle, at) : takeCarried(state, epoch, bundle, at, rules);
}

function passTime(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const resumed = passFrozenTime(state, at, rules);
  if (resumed !== undefined) return resumed;
  if (state.phase === 'offered') return passRoundTime(state, at, rules);
  if (isHeld(state.phase)) return passLeaseTime(state, at, rules);
  if (isIdle(state)) return passWaitTime(state, at, rules);
  return state.phase === 'returning' ? passReturnTime(state, at, rules) : { state, effects: [] };
}

function isIdle(state: OwnedItem): boolean {
  return state.phase === 'queued' || state.phase === 'deferred';
}

/** When the item next wants to hear that time passed, monotonic ms; `undefined` if it waits for nothing. */
export function wakeTime(state: OwnedItem, rules: OwnerRules): number | undefined {
  const times = [frozenEnd(state, rules), phaseEnd(state, rules)].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

function phaseEnd(state: OwnedItem, rules: OwnerRules): number | undefined {
  if (state.round !== null) {
    return Math.min(state.round.endsAt, state.round.repeatAt, state.round.windowEndsAt ?? Number.POSITIVE_INFINITY);
  }
  if (isHeld(state.phase))
    return Math.min(
      giveUpTime(leaseEnd(state, rules), rules),
      state.callAt,
      state.repeatAt ?? Number.POSITIVE_INFINITY,
    );
  if (isIdle(state)) return avoidEnd(state, rules);
  if (state.phase !== 'returning') return undefined;
  const frozen = state.result?.outcome === 'frozen' ? state.frozenAt + rules.preparedMs : Number.POSITIVE_INFINITY;
  return Math.min(
    giveUpTime(state.answeredAt + rules.returnMs, rules),
    frozen,
    state.repeatAt ?? Number.POSITIVE_INFINITY,
  );
}

function looksDifferent(before: OwnedItem, after: OwnedItem): boolean {
  return (
    before.phase !== after.phase ||
    before.reason !== after.reason ||
    before.receiver !== after.receiver ||
    before.epoch !== after.epoch ||
    before.direct !== after.direct ||
    describeBlocked(before) !== describeBlocked(after)
  );
}

function describeBlocked(state: OwnedItem): string {
  return state.blocked.map((one) => `${one.node}:${one.reason}`).join('\n');
}
