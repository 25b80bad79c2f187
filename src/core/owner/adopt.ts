/**
 * An epoch that the journal does not know is taken up by what its receiver says: the journal was put back from an older time, and the
 * receiver was acked by this node all the same. Only while the item is unsure, and only where something runs or ran to its end.
 */
import type { Progress, Result } from '../../protocol/work-messages.js';
import { busNow } from '../bus-time.js';
import type { Effect, Instant, Step } from '../effects.js';
import { enterPhase, isHeld, isSettled, persist, UNHEARD, type OwnedItem, type OwnerRules } from './owned-item.js';

/** What a member says of an epoch. */
export interface Word {
  readonly from: string;
  readonly epoch: number;
  readonly tells: Progress | Result;
}

/** The item with this epoch held by its teller; `undefined` where it is no epoch to take up. */
export function adoptEpoch(
  state: OwnedItem,
  { from, epoch, tells }: Word,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> | undefined {
  if (state.unsure !== true || isHeld(state.phase) || isSettled(state.phase) || state.phase === 'returning')
    return undefined;
  // A round that is open now is known. What ended without an exit code of its own has nothing to bring.
  if ((state.round !== null && epoch === state.epoch) || ('outcome' in tells && tells.outcome !== 'exited'))
    return undefined;
  const next = enterPhase(state, 'running', `${from} has it since before this state directory was put back`, at, {
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

/** Takes the epoch up if it is one to take up, then goes on with the step that hears the word. */
export function adopting(
  state: OwnedItem,
  word: Word,
  at: Instant,
  rules: OwnerRules,
  hear: (state: OwnedItem) => Step<OwnedItem>,
): Step<OwnedItem> {
  const adopted = adoptEpoch(state, word, at, rules);
  if (adopted === undefined) return hear(state);
  const heard = hear(adopted.state);
  return { state: heard.state, effects: [...adopted.effects, ...(heard.effects satisfies readonly Effect[])] };
}
