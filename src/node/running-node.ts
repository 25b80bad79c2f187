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
import type { NodeNote } from './ports.js';

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
  /** Takes an item; `done` comes when the journal has it, or with the reason why it was not taken. */
  submit(item: Item, done: (error?: Error) => void): void;
  /** Stops cleanly: says offline, leaves running guests to their guardians for the next start. */
  stop(done: () => void): void;
}
