/**
 * The owner stage: passes each input of an item to that item's state machine, and keeps the lists of items by what they
 * wait for. An input about an item that is not known here is answered, so its sender can stop repeating it.
 */
import type { Clock } from '../../clock/clock.js';
import { publish, type Effect } from '../../core/effects.js';
import type { ItemInput } from '../../core/owner/inputs.js';
import { isHeld, itemKey, type OwnedItem, type OwnerRules } from '../../core/owner/owned-item.js';
import { openItem, stepOwner, nextTimerAt } from '../../core/owner/step.js';
import type { NodeInput } from '../inputs.js';
import type { ItemLists } from './item-lists.js';
import { createStateMachines, instantOf, type StateMachines } from '../state-machines.js';

/** What the stage needs. */
export interface ItemsDeps {
  readonly clock: Clock;
  /** Where the items and their lists are kept; both start empty. */
  readonly states: Map<string, OwnedItem>;
  readonly lists: ItemLists;
  /** Journal keys of items that could not be read: a receiver that holds one must not be told that it is unknown. */
  readonly unreadable: ReadonlySet<string>;
  /**
   * The journal is an older copy: an item that it does not know may still be this node's, so its result is not thrown
   * away.
   */
  readonly isOlder: boolean;
  rules(): OwnerRules;
  perform(subject: string, effects: readonly Effect[]): void;
  /** Called after each change of an item. */
  changed(before: OwnedItem | undefined, after: OwnedItem | undefined): void;
}

/** The items of this node. */
export interface Items {
  readonly machines: StateMachines<OwnedItem, ItemInput>;
  handle(input: NodeInput): void;
}

/** Creates the owner stage. */
export function createItems(deps: ItemsDeps): Items {
  const { lists } = deps;
  const machines = createStateMachines<OwnedItem, ItemInput>({
    states: deps.states,
    clock: deps.clock,
    step: (state, input, at) => stepOwner(state, input, at, deps.rules()),
    nextTimerAt: (state) => nextTimerAt(state, deps.rules()),
    timePassed: { type: 'TimePassed' },
    perform: (item, effects) => deps.perform(`item/${item}`, effects),
    changed: (item, before, after) => {
      lists.changed(item, before, after);
      deps.changed(before, after);
    },
  });

  function handle(input: NodeInput): void {
    if (input.type === 'ItemSubmitted') {
      if (machines.states.has(input.item.id)) return;
      machines.open(input.item.id, openItem(input, instantOf(deps.clock), deps.rules()));
    }
    if (input.type === 'LinkChanged' && !input.online) {
      for (const item of lists.offered) machines.feed(item, { type: 'BrokerLost' });
    }
    // This includes items with nothing to send: it is known again when they may be given up.
    if (input.type === 'LinkChanged' && input.online) feedOpen({ type: 'BrokerReturned' });
    if (input.type !== 'ItemInput' || machines.feed(input.item, input.input)) return;
    if (deps.isOlder || deps.unreadable.has(itemKey(input.item))) return;
    deps.perform(`item/${input.item}`, answerUnknown(input.item, input.input, deps.rules().self));
  }

  function feedOpen(input: ItemInput): void {
    const open = [...machines.states].filter(([, { phase }]) => isHeld(phase) || phase === 'returning');
    for (const [item] of open) machines.feed(item, input);
  }

  return { machines, handle };
}

/** An item that this node does not know (settled long ago): a receiver that still holds it is released. */
function answerUnknown(item: string, input: ItemInput, self: string): Effect[] {
  if (input.type !== 'ProgressHeard' && input.type !== 'ResultHeard') return [];
  const epoch = input.type === 'ProgressHeard' ? input.progress.epoch : input.result.epoch;
  const way = input.path === 'direct' ? { to: input.from, urls: [], only: true } : undefined;
  return [publish({ kind: 'lease', owner: self, item }, { epoch, to: input.from, renewal: 0, order: 'gone' }, way)];
}
