/**
 * The owner's stage: facts about items go to the item's own state machine. It also keeps the lists that other stages go
 * by: who waits, who sleeps, who is being offered. A fact about an item that is not known is answered so that its teller can
 * rest.
 */
import type { Clock } from '../clock/clock.js';
import { say, type Effect } from '../core/effects.js';
import type { OwnerInput } from '../core/owner/inputs.js';
import { isHeld, isSettled, itemKey, type OwnedItem, type OwnerRules } from '../core/owner/owned-item.js';
import { openItem, stepOwner, wakeTime } from '../core/owner/step.js';
import type { NodeInput } from './inputs.js';
import { createLedger, instantOf, type Ledger } from './ledger.js';

/** What owning needs. */
export interface OwnParts {
  readonly clock: Clock;
  /** Journal keys of items that could not be read: whoever holds one must not be told that it is unknown. */
  readonly unreadable: ReadonlySet<string>;
  /** The journal is an older one: an item that it does not know may be this node's all the same, and its result is not thrown away. */
  readonly isOlder: boolean;
  rules(): OwnerRules;
  perform(subject: string, effects: readonly Effect[]): void;
  /** Told after each change of an item. */
  changed(before: OwnedItem | undefined, after: OwnedItem | undefined): void;
}

/** The items of this node. */
export interface Ownership {
  readonly ledger: Ledger<OwnedItem, OwnerInput>;
  /** Ids by what they wait for, oldest first. */
  readonly queued: ReadonlySet<string>;
  readonly sleeping: ReadonlySet<string>;
  readonly offered: ReadonlySet<string>;
  readonly held: ReadonlySet<string>;
  take(input: NodeInput): void;
}

/** Makes the owner's stage. */
export function ownItems(parts: OwnParts): Ownership {
  const lists = {
    queued: new Set<string>(),
    sleeping: new Set<string>(),
    offered: new Set<string>(),
    held: new Set<string>(),
  };
  const ledger = createLedger<OwnedItem, OwnerInput>({
    clock: parts.clock,
    step: (state, input, at) => stepOwner(state, input, at, parts.rules()),
    wakeTime: (state) => wakeTime(state, parts.rules()),
    timePassed: { type: 'TimePassed' },
    perform: (item, effects) => parts.perform(`item/${item}`, effects),
    changed: (item, before, after) => {
      if (before?.phase !== after?.phase) relist(lists, item, after);
      parts.changed(before, after);
    },
  });

  function take(input: NodeInput): void {
    if (input.type === 'ItemSubmitted') {
      if (ledger.states.has(input.item.item)) return;
      ledger.open(input.item.item, openItem(input, instantOf(parts.clock), parts.rules()));
    }
    if (input.type === 'LinkChanged' && !input.online) {
      for (const item of lists.offered) ledger.feed(item, { type: 'BrokerLost' });
    }
    // Also those that have nothing to say: when they may be given up is known again.
    if (input.type === 'LinkChanged' && input.online) feedOpen({ type: 'BrokerReturned' });
    if (input.type !== 'OwnerFact' || ledger.feed(input.item, input.fact)) return;
    if (parts.isOlder || parts.unreadable.has(itemKey(input.item))) return;
    parts.perform(`item/${input.item}`, answerStranger(input.item, input.fact, parts.rules().self));
  }

  function feedOpen(fact: OwnerInput): void {
    const open = [...ledger.states].filter(([, { phase }]) => isHeld(phase) || phase === 'returning');
    for (const [item] of open) ledger.feed(item, fact);
  }

  return { ledger, ...lists, take };
}

function relist(
  lists: Record<'queued' | 'sleeping' | 'offered' | 'held', Set<string>>,
  item: string,
  after: OwnedItem | undefined,
): void {
  for (const list of Object.values(lists)) list.delete(item);
  if (after === undefined || isSettled(after.phase)) return;
  if (after.phase === 'queued') lists.queued.add(item);
  else if (after.phase === 'deferred') lists.sleeping.add(item);
  else if (after.phase === 'offered') lists.offered.add(item);
  else if (isHeld(after.phase)) lists.held.add(item);
}

/** An item that this node does not know (settled long ago): whoever still holds it is released. */
function answerStranger(item: string, fact: OwnerInput, self: string): Effect[] {
  if (fact.type !== 'ProgressHeard' && fact.type !== 'ResultHeard') return [];
  const epoch = fact.type === 'ProgressHeard' ? fact.progress.epoch : fact.result.epoch;
  const way = fact.path === 'direct' ? { to: fact.from, urls: [], only: true } : undefined;
  return [say({ kind: 'lease', owner: self, item }, { epoch, to: fact.from, renewal: 0, order: 'gone' }, way)];
}
