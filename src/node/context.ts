/**
 * What the stages of one node share. It is created in four layers (create-context.ts), each from those above it and
 * from nothing below, which shows which stage can know of which.
 */
import type { Observable } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import type { MeshInput, MemberTable } from '../core/mesh/member-table.js';
import type { OwnedItem } from '../core/owner/owned-item.js';
import type { OpenOffers } from '../core/placement/open-offers.js';
import type { Guest } from '../core/receiver/guest.js';
import type { EffectQueue } from '../pipelines/effects/effect-queue.js';
import type { Performer } from '../pipelines/effects/perform.js';
import type { StatusBoard } from '../pipelines/effects/publish-status.js';
import type { Publisher } from '../pipelines/effects/publisher.js';
import type { JournalMark } from '../pipelines/identity/journal-mark.js';
import type { OwnPublishing } from '../pipelines/identity/own-echo.js';
import type { Rename } from '../pipelines/identity/rename.js';
import type { TwinWatch } from '../pipelines/identity/twin-watch.js';
import type { Inbox } from '../pipelines/inbox.js';
import type { NodeInput } from '../pipelines/inputs.js';
import type { NodeState } from '../pipelines/load/node-state.js';
import type { BusClock } from '../pipelines/mesh/bus-clock.js';
import type { KeyPins } from '../pipelines/mesh/key-pins.js';
import type { Reach } from '../pipelines/mesh/reach.js';
import type { ItemLists } from '../pipelines/owner/item-lists.js';
import type { Items } from '../pipelines/owner/items.js';
import type { MoveHistory } from '../pipelines/owner/move-history.js';
import type { RetiredIds } from '../pipelines/owner/retired-ids.js';
import type { RunningTime } from '../pipelines/owner/running-time.js';
import type { Throttling } from '../pipelines/processes/throttle.js';
import type { Guests } from '../pipelines/receiver/guests.js';
import type { NodeSettings } from '../pipelines/settings.js';
import type { Message } from '../protocol/messages.js';
import type { GuestIndex } from './guest-index.js';
import type { NodeLog } from './node-log.js';
import type { Leave } from './running-node.js';

/** What is known, and the streams of the node. It is created first and knows no stage. */
export interface SharedContext {
  readonly settings: NodeSettings;
  readonly clock: Clock;
  readonly inbox: Inbox<NodeInput, MeshInput>;
  readonly members: MemberTable;
  /** The items that this node owns, by id. */
  readonly ownedItems: Map<string, OwnedItem>;
  readonly itemLists: ItemLists;
  /** The guests of this node, by `<owner>/<item>/<epoch>`. */
  readonly heldGuests: Map<string, Guest>;
  readonly openOffers: OpenOffers;
  readonly log: NodeLog;
  readonly reach: Reach;
  readonly busClock: BusClock;
  readonly running: RunningTime;
  /** This node's birth message. */
  readonly birth: Message<'info'>;
  /** Emits when something changed that offers, claims and wakes depend on. */
  readonly dirty$: Observable<void>;
  markDirty(): void;
  /** Emits when the node wants to be stopped. */
  readonly leaves$: Observable<Leave>;
  leave(leave: Leave): void;
  /** The same stream until the node stops. */
  live<T>(source$: Observable<T>): Observable<T>;
  /** Starts what must wait until everything is wired: the sensors. */
  begin(): void;
  readonly begun$: Observable<void>;
  /** Ends everything that is {@link live}. */
  end(): void;
}

/** What carries out decisions: signing, publishing, writing, and the adapters behind them. */
export interface EffectsContext {
  readonly pins: KeyPins;
  /** The key of a member, also of one that was not heard in this boot. */
  keyOf(node: string): string | undefined;
  readonly publisher: Publisher;
  readonly ownPublishing: OwnPublishing;
  readonly statuses: StatusBoard;
  readonly performer: Performer;
  readonly effectQueue: EffectQueue;
  readonly journalMark: JournalMark;
  readonly retired: RetiredIds;
}

/** What the node knows of itself and of its machine. */
export interface SelfContext {
  readonly guestIndex: GuestIndex;
  readonly throttling: Throttling;
  readonly twins: TwinWatch;
  readonly nodeState: NodeState;
}

/** The node's work: its items, its guests, and their moves. */
export interface WorkContext {
  readonly moves: MoveHistory;
  readonly items: Items;
  readonly guests: Guests;
  readonly renaming: Rename;
}

/** Everything that the stages of one node are wired from. */
export interface NodeContext extends SharedContext, EffectsContext, SelfContext, WorkContext {
  /**
   * Emits when the last waiting input has been processed and this node's own state is refreshed: the point at which
   * decisions about the whole are due.
   */
  readonly settled$: Observable<void>;
  /** Forgets an ended item and removes its files. */
  retire(item: string): void;
  stop(): void;
}
