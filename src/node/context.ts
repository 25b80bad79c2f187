/**
 * What the stages of one node share, as a shape: everything that lasts as long as the node and belongs to no stage alone. It is put
 * together in workbench.ts.
 */
import type { Observable } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import type { MeshInput, MeshView } from '../core/mesh.js';
import type { OfferBook } from '../core/offer-book.js';
import type { Message } from '../protocol/messages.js';
import type { BusClock } from '../pipelines/bus-clock.js';
import type { Condition } from '../pipelines/condition.js';
import type { NodeSettings } from '../pipelines/settings.js';
import type { Gate } from '../pipelines/gate.js';
import type { Hosting } from '../pipelines/host.js';
import type { Inbox } from '../pipelines/inbox.js';
import type { NodeInput } from '../pipelines/inputs.js';
import type { Ownership } from '../pipelines/own.js';
import type { KeyPins } from '../pipelines/key-pins.js';
import type { RetiredIds } from '../pipelines/retired-ids.js';
import type { RunningTime } from '../pipelines/running-time.js';
import type { Performer } from '../pipelines/perform.js';
import type { Reach } from '../pipelines/reach.js';
import type { MoveRecord } from '../pipelines/record-moves.js';
import type { Renaming } from '../pipelines/rename.js';
import type { JournalMark } from '../pipelines/journal-mark.js';
import type { Speaker } from '../pipelines/say.js';
import type { Throttling } from '../pipelines/throttle.js';
import type { TwinWatch } from '../pipelines/twin-watch.js';
import type { Said } from '../pipelines/own-echo.js';
import type { GuestIndex } from './guest-index.js';
import type { Notes } from './notes.js';
import type { Leave } from './running-node.js';

/** What the stages of one node are joined from. */
export interface Workbench {
  readonly settings: NodeSettings;
  readonly clock: Clock;
  readonly inbox: Inbox<NodeInput, MeshInput>;
  readonly view: MeshView;
  readonly book: OfferBook;
  readonly own: Ownership;
  readonly host: Hosting;
  readonly condition: Condition;
  readonly guests: GuestIndex;
  readonly throttling: Throttling;
  readonly gate: Gate;
  readonly speaker: Speaker;
  readonly performer: Performer;
  readonly pins: KeyPins;
  /** The key of a member, also of one that was not heard in this run. */
  keyOf(node: string): string | undefined;
  readonly retired: RetiredIds;
  readonly running: RunningTime;
  readonly moves: MoveRecord;
  readonly notes: Notes;
  readonly reach: Reach;
  readonly busClock: BusClock;
  readonly renaming: Renaming;
  readonly twins: TwinWatch;
  readonly mark: JournalMark;
  readonly said: Said;
  /** Emits when the node wants to be stopped. */
  readonly leaves$: Observable<Leave>;
  /** This node's birth message. */
  readonly birth: Message<'info'>;
  /** Emits when something changed that offers, claims and wakes go by. */
  readonly stirred$: Observable<void>;
  stir(): void;
  /** The same stream until the node stops. */
  live<T>(source$: Observable<T>): Observable<T>;
  /** Starts what waits for everything to be joined: the senses. */
  begin(): void;
  readonly begun$: Observable<void>;
  /** Forgets an ended item and removes its files. */
  retire(item: string): void;
  stop(): void;
}
