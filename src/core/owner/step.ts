/**
 * The owner's step: takes one item and one input, returns the next state and the effects. A change that others should
 * see also publishes the status. This file only dispatches to the files that decide.
 */
import { giveUpTime } from '../bus-time.js';
import type { Instant, Step } from '../effects.js';
import { withAdoptedEpoch } from './adopt-epoch.js';
import { recordHeard } from './direct-path.js';
import { frozenEnd, expireFrozen, handleImage } from './checkpoint.js';
import type { ItemSubmitted, ItemInput } from './inputs.js';
import { handleProgress, leaseEnd, expireLease, repeatOrder } from './lease.js';
import { cancelItem, moveItem, retryItem, handleCarried } from './move.js';
import { avoidEnd, closeRound, handleClaim, openRound, passOver, expireRound, expireWait } from './offer.js';
import { publishStatus } from './item-status.js';
import { isHeld, type OwnedItem, type OwnerRules } from './owned-item.js';
import {
  handleFetchFailure,
  handlePlaceFailure,
  handleResult,
  expireReturn,
  handleFetched,
  handlePlaced,
} from './result.js';
import { handleFetchRequest, handleUnreached } from './unreachable.js';
import { handleStageFailure, resumeItem, submitItem, handleStaged, wakeItem } from './submit.js';

/** Opens a new item. Its status is published immediately: a deferred item may not change for hours. */
export function openItem(submitted: ItemSubmitted, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const { state, effects } = submitItem(submitted, at, rules);
  return { state, effects: [...effects, publishStatus(state, rules.self)] };
}

/** Handles one input. */
export function stepOwner(state: OwnedItem, input: ItemInput, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const step = decide(...withPath(state, input, at, rules));
  if (!looksDifferent(state, step.state) && input.type !== 'NodeRestarted') return step;
  return { state: step.state, effects: [...step.effects, publishStatus(step.state, rules.self)] };
}

/** Records over which path a message came; the answer takes the same one. */
function withPath(
  state: OwnedItem,
  input: ItemInput,
  at: Instant,
  rules: OwnerRules,
): [OwnedItem, ItemInput, Instant, OwnerRules] {
  if (input.type !== 'ProgressHeard' && input.type !== 'ResultHeard') return [state, input, at, rules];
  const known = input.path === 'direct' ? { ...rules, directFrom: input.from } : rules;
  const { epoch } = input.type === 'ProgressHeard' ? input.progress : input.result;
  return [recordHeard(state, input.from, epoch, at, known), input, at, known];
}

function decide(state: OwnedItem, input: ItemInput, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  switch (input.type) {
    case 'ItemStaged':
      return handleStaged(state, input.bundle, input.image, at);
    case 'StageFailed':
      return handleStageFailure(state, input.reason, at, rules);
    case 'OfferChosen':
      return openRound(state, input.reason, at, rules);
    case 'ItemPassedOver':
      return passOver(state, input);
    case 'WakeChosen':
      return wakeItem(state, input.reason, at);
    case 'ClaimHeard':
      return handleClaim(state, { ...input.claim, from: input.from }, at, rules);
    case 'ProgressHeard':
      return withAdoptedEpoch(
        state,
        { from: input.from, epoch: input.progress.epoch, message: input.progress },
        at,
        rules,
        (known) => handleProgress(known, input.from, input.progress, at, rules),
      );
    case 'ResultHeard':
      return withAdoptedEpoch(
        state,
        { from: input.from, epoch: input.result.epoch, message: input.result },
        at,
        rules,
        (known) => handleResult(known, input.from, input.result, at, rules),
      );
    case 'HomeFetched':
      return handleFetched(state, input.epoch);
    case 'HomeFetchFailed':
      return handleFetchFailure(state, input, at, rules);
    case 'HomeUnreached':
      return handleUnreached(state, input, rules);
    case 'FetchAsked':
      return handleFetchRequest(state, input.reason);
    case 'HomePlaced':
      return handlePlaced(state, input.epoch, at, rules);
    case 'PlaceFailed':
      return handlePlaceFailure(state, input, at, rules);
    case 'ItemCarried':
      return handleItemCarried(state, input, at, rules);
    case 'CarryFailed':
      return handleFetchFailure(state, { ...input, final: false }, at, rules);
    case 'CancelAsked':
      return cancelItem(state, input.reason, at, rules);
    case 'MoveAsked':
      return moveItem({ ...state, excludedForMove: input.excluded ?? [] }, input.to, input.reason, at, rules);
    case 'RetryAsked':
      return retryItem(state, input.reason, at);
    case 'BrokerLost':
      return closeRound(state, at, rules);
    case 'BrokerReturned':
      return repeatOrder(state, at, rules);
    case 'TimePassed':
      return expire(state, at, rules);
    case 'NodeRestarted':
      return resumeItem(state, input.rolledBack, at, rules);
  }
}

/** Carried files are served from now on, even if the epoch was given up in the meantime. */
function handleItemCarried(
  state: OwnedItem,
  { epoch, bundle, image }: Extract<ItemInput, { type: 'ItemCarried' }>,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  if (state.phase !== 'returning' || epoch !== state.epoch) return handleStaged(state, bundle, image, at);
  return image ? handleImage(state, epoch, bundle, at) : handleCarried(state, epoch, bundle, at, rules);
}

function expire(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const resumed = expireFrozen(state, at, rules);
  if (resumed !== undefined) return resumed;
  if (state.phase === 'offered') return expireRound(state, at, rules);
  if (isHeld(state.phase)) return expireLease(state, at, rules);
  if (isIdle(state)) return expireWait(state, at, rules);
  return state.phase === 'returning' ? expireReturn(state, at, rules) : { state, effects: [] };
}

function isIdle(state: OwnedItem): boolean {
  return state.phase === 'queued' || state.phase === 'deferred';
}

/** When the item next needs the input `TimePassed`, monotonic ms; `undefined` if it waits for nothing. */
export function nextTimerAt(state: OwnedItem, rules: OwnerRules): number | undefined {
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
    before.code !== after.code ||
    before.receiver !== after.receiver ||
    before.epoch !== after.epoch ||
    before.direct !== after.direct ||
    describeBlocked(before) !== describeBlocked(after)
  );
}

function describeBlocked(state: OwnedItem): string {
  return state.blocked.map((one) => `${one.node}:${one.reason}`).join('\n');
}
