/**
 * The workbench of a node: its stages with what they share, laid out but not yet joined. Everything that lasts as long as
 * the node and belongs to no stage alone is here.
 */
import { Subject, takeUntil } from 'rxjs';
import { createView, type MeshInput, type MeshView } from '../core/mesh.js';
import { itemKey } from '../core/owner/owned-item.js';
import { runTarget } from '../core/throttle-choice.js';
import { createBusClock } from '../pipelines/bus-clock.js';
import { keepCondition } from '../pipelines/condition.js';
import { isMeshInput } from '../pipelines/derive.js';
import type { NodeSettings } from '../pipelines/settings.js';
import { createGate } from '../pipelines/gate.js';
import { hostGuests } from '../pipelines/host.js';
import { createInbox } from '../pipelines/inbox.js';
import type { NodeInput } from '../pipelines/inputs.js';
import { instantOf } from '../pipelines/ledger.js';
import { ownItems, type Ownership } from '../pipelines/own.js';
import { createKeyPins, pinKey } from '../pipelines/key-pins.js';
import { createRetiredIds, RETIRED_PREFIX } from '../pipelines/retired-ids.js';
import { countRunning } from '../pipelines/running-time.js';
import { createPerformer } from '../pipelines/perform.js';
import { mirrorBus } from '../pipelines/mirror.js';
import { createReach } from '../pipelines/reach.js';
import { createMoveRecord } from '../pipelines/record-moves.js';
import { createRenaming } from '../pipelines/rename.js';
import { createJournalMark } from '../pipelines/journal-mark.js';
import { createSpeaker } from '../pipelines/say.js';
import { createStatusBoard } from '../pipelines/status.js';
import { createGuestIndex } from './guest-index.js';
import { layThrottling } from './lay-throttling.js';
import { layTwins } from './lay-twins.js';
import { createNotes } from './notes.js';
import type { NodePorts } from './ports.js';
import { MARK_KEY, type Restored } from './restore.js';
import type { Leave } from './running-node.js';
import { findAckObstacle } from './acceptance.js';
import { isPartner } from './partners.js';
import type { Workbench } from './context.js';

/** Renewals of one run of a node; those of the next run are numbered above them. */
const RENEWALS_A_RUN = 1_000_000;

/** Lays the workbench out. */
export function layWorkbench(ports: NodePorts, settings: NodeSettings, restored: Restored): Workbench {
  const { clock, identity, journal, runner, transfer, workspace, throttle } = ports;
  const { id: self, base } = settings;
  const inbox = createInbox<NodeInput, MeshInput>(isMeshInput);
  const { push } = inbox;
  const stopped$ = new Subject<void>();
  const begun$ = new Subject<void>();
  const stirred$ = new Subject<void>();
  const leaves$ = new Subject<Leave>();
  const view: MeshView = createView();
  const notes = createNotes();
  const reach = createReach(self, settings.mesh);
  const busClock = createBusClock(clock);
  const bus = mirrorBus(ports.bus, ports.door);
  const birth = {
    ...settings.info,
    key: identity.publicKey,
    v: 1 as const,
    ts: instantOf(clock).ts,
    boot: restored.boot,
    seq: 0,
  };

  const pins = createKeyPins(
    view,
    clock,
    restored.pins,
    (node, key) => gate.take('node', [{ type: 'Persist', key: pinKey(node), value: key }]),
    (node) => isPartner(node, own.ledger.states.values(), host.ledger.states.values()),
  );
  // The view knows only who was heard in this run; a pin outlives it, and is the same key.
  const keyOf = (node: string): string | undefined =>
    node === self ? identity.publicKey : (view.get(node)?.info?.key ?? pins.keyOf(node));
  const speaker = createSpeaker({
    self,
    base,
    boot: restored.boot,
    bus,
    clock,
    identity,
    direct: ports.direct,
    keyOf,
    push,
  });
  const statuses = createStatusBoard(self, speaker, clock, settings.statusKeptMs);
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
  const running = countRunning(clock, restored.runningMs);
  const retired = createRetiredIds({
    running,
    restored: restored.retired,
    note: (item, until) =>
      gate.take(`item/${item}`, [{ type: 'Persist', key: `${RETIRED_PREFIX}${item}`, value: until }]),
  });

  const moves = createMoveRecord({ self, clock, view, items: () => own.ledger.states, push });
  const own: Ownership = ownItems({
    clock,
    unreadable: new Set(restored.faults),
    isOlder: settings.known !== undefined,
    rules: () => ({
      ...settings.owner,
      self,
      urls: transfer.urls(),
      sealKey: transfer.sealKey,
      runningMs: running(),
      isAlone: reach.isAlone,
      bus: busClock.read(),
    }),
    perform: gate.take,
    changed: (before, after) => {
      condition.touch();
      moves.itemChanged(before, after);
      if (after !== undefined && after.way?.isTold === true && before?.way?.isTold !== true)
        notes.say('warn', `${after.item.item}: ${after.reason}`);
      if (before?.phase === after?.phase) return;
      notes.itemChanged(before, after);
      stir();
    },
  });
  const host = hostGuests({
    clock,
    rules: () => ({
      ...settings.receiver,
      self,
      urls: transfer.urls(),
      renewalBase: restored.boot * RENEWALS_A_RUN,
      isAlone: reach.isAlone,
    }),
    state: () => condition.state(),
    obstacle: (owner, guest) => findAckObstacle(settings, condition, owner) ?? condition.findRoomLack(guest),
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
      copy: () => twins.copy(),
    },
    restored.draining,
  );
  const twins = layTwins(settings, restored.boot, { key: identity.publicKey, clock, notes, leaves$ });
  const renaming = createRenaming({
    self,
    key: identity.publicKey,
    clock,
    view,
    items: own.ledger.states,
    guests: host.ledger.states,
    isFixed: settings.renames !== true,
    isBusy: gate.isBusy,
    push,
    leave: (to) => leaves$.next({ why: 'renamed', to }),
  });

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
    keyOf,
    retired,
    running,
    retire: (item) => {
      own.ledger.drop(item);
      // First: what ran is known at every moment, as an item or as one that is forgotten.
      retired.add(item);
      gate.take(`item/${item}`, [
        { type: 'RemoveItem', item, all: true },
        { type: 'Persist', key: itemKey(item), value: undefined },
      ]);
    },
    moves,
    renaming,
    twins,
    mark: createJournalMark({ key: MARK_KEY, last: restored.mark, take: gate.take, after: gate.after }),
    said: {
      boot: restored.boot,
      lastBoot: restored.lastBoot,
      knownBoot: settings.known?.boot ?? 0,
      seq: speaker.seq,
    },
    leaves$,
    notes,
    reach,
    busClock,
    birth,
    stirred$,
    stir,
    live: (source$) => source$.pipe(takeUntil(stopped$)),
    begin: () => begun$.next(),
    begun$,
    stop: () => {
      stopped$.next();
      for (const part of [own.ledger, host.ledger, throttling, moves, statuses, renaming, gate, inbox]) part.close();
      notes.close();
    },
  };
}
