/**
 * A running node as its user sees it: its knowledge as Observables, and the few things that can be asked of it
 * directly.
 */
import type { Observable } from 'rxjs';
import type { Ranking } from '../core/mesh/ranking.js';
import type { Member } from '../core/mesh/member.js';
import type { MeshSum } from '../core/mesh/member-table.js';
import type { OwnedItem } from '../core/owner/owned-item.js';
import type { Item } from '../protocol/item.js';
import type { Direction, State } from '../protocol/messages.js';
import type { TwinLeave } from '../pipelines/identity/twin-watch.js';
import type { NodeNote } from './ports.js';

/** Why a running node wants the process that started it to stop it. */
export type Leave =
  | { readonly why: 'renamed'; readonly to: string }
  /** There may be a copy of it, or its journal is an older copy: that must be checked before it continues. */
  | TwinLeave;

/** A running node. Each Observable emits its current value first. */
export interface RunningNode {
  readonly id: string;
  readonly members$: Observable<readonly Member[]>;
  readonly sum$: Observable<MeshSum>;
  readonly direction$: Observable<Direction>;
  /** Which nodes would take one cpu's worth of work, best first, and why the others would not. */
  readonly receivers$: Observable<Ranking>;
  /** The items that this node owns. */
  readonly items$: Observable<readonly OwnedItem[]>;
  readonly state$: Observable<State>;
  /** Lines for a log. */
  readonly notes$: Observable<NodeNote>;
  /** Emits when the node wants to be stopped; it continues until it is. */
  readonly leaves$: Observable<Leave>;
  /** Submits an item; `done` is called when the journal has it, or with the reason why it was refused. */
  submit(item: Item, done: (error?: Error) => void): void;
  /** Stops cleanly: publishes offline, and leaves running guests to their watchdogs until the next start. */
  stop(done: () => void): void;
}
