/**
 * A running node as its user holds it: what it sees as Observables, and the few things that can be asked of it directly.
 */
import type { Observable } from 'rxjs';
import type { Ranking } from '../core/election.js';
import type { Member } from '../core/member.js';
import type { MeshSum } from '../core/mesh.js';
import type { OwnedItem } from '../core/owner/owned-item.js';
import type { Item } from '../protocol/item.js';
import type { Direction, State } from '../protocol/messages.js';
import type { TwinLeave } from '../pipelines/twin-watch.js';
import type { NodeNote } from './ports.js';

/** Why a node that runs wants to be stopped, by whoever started it. */
export type Leave =
  | { readonly why: 'renamed'; readonly to: string }
  /** There may be a copy of it, or its journal is an older one: that is to be looked into before it goes on. */
  | TwinLeave;

/** A node that runs. Each Observable gives its present value first. */
export interface RunningNode {
  readonly id: string;
  readonly members$: Observable<readonly Member[]>;
  readonly sum$: Observable<MeshSum>;
  readonly direction$: Observable<Direction>;
  /** Who would take one cpu's worth of work, best first, and why the others would not. */
  readonly receivers$: Observable<Ranking>;
  /** The items that this node owns. */
  readonly items$: Observable<readonly OwnedItem[]>;
  readonly state$: Observable<State>;
  /** Lines for a log. */
  readonly notes$: Observable<NodeNote>;
  /** Emits when the node wants to be stopped; it goes on until it is. */
  readonly leaves$: Observable<Leave>;
  /** Takes an item; `done` comes when the journal has it, or with the reason why it was not taken. */
  submit(item: Item, done: (error?: Error) => void): void;
  /** Stops cleanly: says offline, leaves running guests to their guardians for the next start. */
  stop(done: () => void): void;
}
