/**
 * Ends an item. The end is journalled BEFORE its receiver is released: until then the receiver keeps repeating its
 * result, so a crash in between cannot lose it.
 */
import type { Phase } from '../../protocol/status.js';
import type { Effect, Instant, Step } from '../effects.js';
import { publish } from '../effects.js';
import { pathTo } from './direct-path.js';
import { releaseSource } from './lease-message.js';
import { enterPhase, persist, servedOf, type OwnedItem, type OwnerRules } from './owned-item.js';

/** Ends the item in `phase`. */
export function settle(
  state: OwnedItem,
  phase: Extract<Phase, 'done' | 'failed' | 'cancelled'>,
  reason: string,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  const next = enterPhase(state, phase, reason, at, {
    round: null,
    repeatAt: undefined,
    order: 'hold',
    source: null,
    endedRunningMs: rules.runningMs,
  });
  return {
    state: next,
    effects: [persist(next), ...release(next, rules), ...releaseSource(state, rules), ...tidy(next)],
  };
}

function release(state: OwnedItem, rules: OwnerRules): Effect[] {
  if (state.receiver === null) return [];
  const topic = { kind: 'lease', owner: rules.self, item: state.spec.id } as const;
  const body = { epoch: state.epoch, to: state.receiver, renewal: 0, order: 'settled' } as const;
  return [publish(topic, body, pathTo(state, state.receiver, rules))];
}

function tidy(state: OwnedItem): Effect[] {
  if (servedOf(state) === null) return [];
  const { id: item } = state.spec;
  return [
    { type: 'Unshare', item, epoch: state.epoch },
    { type: 'RemoveItem', item, all: false },
  ];
}
