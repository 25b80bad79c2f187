/**
 * The workbench of a node: its stages with what they share, laid out but not yet joined. Everything that lasts as long as
 * the node and belongs to no stage alone is here.
 */
import { Subject, takeUntil, type Observable } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import { createView, type MeshInput, type MeshView } from '../core/mesh.js';
import type { OfferBook } from '../core/offer-book.js';
import { runTarget } from '../core/throttle-choice.js';
import type { Message } from '../protocol/messages.js';
import { keepCondition, type Condition } from '../pipelines/condition.js';
import { isMeshInput } from '../pipelines/derive.js';
import type { NodeSettings } from '../pipelines/settings.js';
import { createGate, type Gate } from '../pipelines/gate.js';
import { hostGuests, type Hosting } from '../pipelines/host.js';
import { createInbox, type Inbox } from '../pipelines/inbox.js';
import type { NodeInput } from '../pipelines/inputs.js';
import { instantOf } from '../pipelines/ledger.js';
import { ownItems, type Ownership } from '../pipelines/own.js';
import { createKeyPins, pinKey, type KeyPins } from '../pipelines/key-pins.js';
import { createRetiredIds, type RetiredIds } from '../pipelines/retired-ids.js';
import { createPerformer, type Performer } from '../pipelines/perform.js';
import { createMoveRecord, type MoveRecord } from '../pipelines/record-moves.js';
import { createSpeaker, type Speaker } from '../pipelines/say.js';
import { createStatusBoard } from '../pipelines/status.js';
import type { Throttling } from '../pipelines/throttle.js';
import { createGuestIndex, type GuestIndex } from './guest-index.js';
import { layThrottling } from './lay-throttling.js';
import { createNotes, type Notes } from './notes.js';
import type { NodePorts } from './ports.js';
import type { Restored } from './restore.js';

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
  readonly retired: RetiredIds;
  readonly moves: MoveRecord;
  readonly notes: Notes;
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
  stop(): void;
}

/** Renewals of one run of a node; those of the next run are numbered above them. */
const RENEWALS_A_RUN = 1_000_000;

/** Lays the workbench out. */
export function layWorkbench(ports: NodePorts, settings: NodeSettings, restored: Restored): Workbench {
  const { bus, clock, identity, journal, runner, transfer, workspace, throttle } = ports;
  const { id: self, base } = settings;
  const inbox = createInbox<NodeInput, MeshInput>(isMeshInput);
  const { push } = inbox;
  const stopped$ = new Subject<void>();
  const begun$ = new Subject<void>();
  const stirred$ = new Subject<void>();
  const view: MeshView = createView();
  const notes = createNotes();
  const birth = {
    ...settings.info,
    key: identity.publicKey,
    v: 1 as const,
    ts: instantOf(clock).ts,
    boot: restored.boot,
    seq: 0,
  };

  const pins = createKeyPins(view, clock, restored.pins, (node, key) =>
    gate.take('node', [{ type: 'Persist', key: pinKey(node), value: key }]),
  );
  const speaker = createSpeaker({ self, base, boot: restored.boot, bus, clock, identity, push });
  const statuses = createStatusBoard(self, speaker, clock, settings.statusKeptMs);
  const keyOf = (node: string): string | undefined => (node === self ? identity.publicKey : view.get(node)?.info?.key);
  const performer = createPerformer({
    self,
    clock,
    speaker,
    statuses,
    transfer,
    workspace,
    runner,
    throttle,
    lift: (guest, done) => throttling.lift(runTarget(guest), 'it is frozen', done),
    keyOf,
    push,
  });
  const gate = createGate({
    journal,
    clock,
    perform: performer.perform,
    faulty: (fault) => push({ type: 'JournalChanged', fault }),
  });
  const stir = (): void => stirred$.next();

  const moves = createMoveRecord({ self, clock, view, items: () => own.ledger.states, push });
  const own: Ownership = ownItems({
    clock,
    unreadable: new Set(restored.faults),
    rules: () => ({ ...settings.owner, self, urls: transfer.urls() }),
    perform: gate.take,
    changed: (before, after) => {
      condition.touch();
      moves.itemChanged(before, after);
      if (before?.phase === after?.phase) return;
      notes.itemChanged(before, after);
      stir();
    },
  });
  const host = hostGuests({
    clock,
    rules: () => ({ ...settings.receiver, self, urls: transfer.urls(), renewalBase: restored.boot * RENEWALS_A_RUN }),
    state: () => condition.state(),
    obstacle: (owner) => findAckObstacle(settings, condition, owner),
    perform: gate.take,
    changed: (before, after) => {
      condition.touch();
      if (before?.phase !== after?.phase) stir();
    },
  });
  const guests = createGuestIndex(host, runner, () => settings.info.memory_bytes);
  const throttling = layThrottling({ settings, clock, throttle, own, host, guests, gate, push });
  const condition = keepCondition(
    {
      settings,
      clock,
      view,
      info: birth,
      guests: () => host.ledger.states.values(),
      counts: () => ({ queued: own.queued.size + own.offered.size, deferred: own.sleeping.size }),
      guestOfPid: guests.describePid,
      reasons: throttling,
    },
    restored.draining,
  );

  return {
    settings,
    clock,
    inbox,
    view,
    book: new Map(),
    own,
    host,
    condition,
    guests,
    throttling,
    gate,
    speaker,
    performer,
    pins,
    retired: createRetiredIds(clock),
    moves,
    notes,
    birth,
    stirred$,
    stir,
    live: (source$) => source$.pipe(takeUntil(stopped$)),
    begin: () => begun$.next(),
    begun$,
    stop: () => {
      stopped$.next();
      for (const part of [own.ledger, host.ledger, throttling, moves, statuses, gate, inbox]) part.close();
      notes.close();
    },
  };
}

/** Why an acked item of this owner cannot be taken after all, although it was claimed. */
function findAckObstacle(settings: NodeSettings, condition: Condition, owner: string): string | undefined {
  if (condition.draining) return 'it is draining';
  if (condition.journalFault !== undefined) return `its journal cannot be written: ${condition.journalFault}`;
  return acceptsOwner(settings, condition, owner) ? undefined : `it accepts no work of ${owner}`;
}

/** Whether the node's policy lets it work for this owner; for itself it always works. */
export function acceptsOwner(settings: NodeSettings, condition: Condition, owner: string): boolean {
  if (owner === settings.id) return true;
  if (settings.accept === 'nothing' || !condition.accepting) return false;
  return settings.acceptFrom.includes('*') || settings.acceptFrom.includes(owner);
}
