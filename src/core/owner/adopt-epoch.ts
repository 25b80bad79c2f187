/**
 * Adopts an epoch that the journal does not know from a message of its receiver: the journal was restored to an older
 * state, but this node had acked that receiver. Only while the item is unsure, and only if the receiver runs it or ran
 * it to its end.
 */
import type { ProgressReport, Result } from '../../protocol/work-messages.js';
import { busNow } from '../bus-time.js';
import type { Effect, Instant, Step } from '../effects.js';
import { enterPhase, isHeld, isSettled, persist, UNHEARD, type OwnedItem, type OwnerRules } from './owned-item.js';

/** What a member reports about an epoch. */
export interface MemberReport {
  readonly from: string;
  readonly epoch: number;
  readonly message: ProgressReport | Result;
}

/** The item with this epoch held by the member that reported it; `undefined` if the epoch must not be adopted. */
export function adoptEpoch(
  state: OwnedItem,
  { from, epoch, message }: MemberReport,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> | undefined {
  if (state.unsure !== true || isHeld(state.phase) || isSettled(state.phase) || state.phase === 'returning')
    return undefined;
  // A round that is open now is known. A run that left no exit code has nothing to return.
  if ((state.round !== null && epoch === state.epoch) || ('outcome' in message && message.outcome !== 'exited'))
    return undefined;
  const next = enterPhase(state, 'running', `${from} has held it since before this state directory was restored`, at, {
    receiver: from,
    receiverUrls: [],
    ...UNHEARD,
    epoch,
    lastEpoch: Math.max(state.lastEpoch, epoch),
    leaseMs: state.leaseMs === 0 ? rules.leaseMs : state.leaseMs,
    attempts: Math.max(1, state.attempts),
    order: 'hold',
    round: null,
    repeatAt: undefined,
    answeredAt: busNow(rules, at),
    unsure: false,
  });
  return { state: next, effects: [persist(next)] };
}

/** Adopts the epoch if it should be, then handles the message with `handle`. */
export function withAdoptedEpoch(
  state: OwnedItem,
  report: MemberReport,
  at: Instant,
  rules: OwnerRules,
  handle: (state: OwnedItem) => Step<OwnedItem>,
): Step<OwnedItem> {
  const adopted = adoptEpoch(state, report, at, rules);
  if (adopted === undefined) return handle(state);
  const handled = handle(adopted.state);
  return { state: handled.state, effects: [...adopted.effects, ...(handled.effects satisfies readonly Effect[])] };
}
