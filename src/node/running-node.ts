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

/** A running node. All Observables of what it knows of the mesh and its items emit their current value first. */
export interface RunningNode {
  /** Its id, `[a-z0-9-]{1,32}`. */
  readonly id: string;
  /** All members that it knows, itself included. */
  readonly members$: Observable<readonly Member[]>;
  /** The sum over the online members, each time that it changes. */
  readonly sum$: Observable<MeshSum>;
  /** What the sum asks of the mesh, with each new sum. */
  readonly direction$: Observable<Direction>;
  /** Which nodes would take one cpu's worth of work, best first, and why the others would not. */
  readonly receivers$: Observable<Ranking>;
  /** The items that this node owns, ended ones included as long as it keeps them. */
  readonly items$: Observable<readonly OwnedItem[]>;
  /** What the node publishes as its state, each time that it changes. */
  readonly state$: Observable<State>;
  /** Lines for a log. A late subscriber gets up to 100 earlier ones. */
  readonly notes$: Observable<NodeNote>;
  /** Emits when the node wants to be stopped; it continues until it is. */
  readonly leaves$: Observable<Leave>;
  /** Submits an item; `done` is called when the journal has it, or with the reason why it was refused. */
  submit(item: Item, done: (error?: Error) => void): void;
  /** Stops cleanly: publishes offline, and leaves running guests to their watchdogs until the next start. */
  stop(done: () => void): void;
}
