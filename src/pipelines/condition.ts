/**
 * The condition stage: what this node last sensed and what people have set, and from it the node's own state. It also puts
 * that state into the view, so that a node sees itself like any other member, only sooner.
 */
import type { Clock } from '../clock/clock.js';
import { deriveState } from '../core/condition.js';
import { findRoomLack, noteRoomLack, type DiskState, type RoomLack } from '../core/disk-room.js';
import type { Member } from '../core/member.js';
import { putMember, type MeshView } from '../core/mesh.js';
import { countPromised, guestName, type Guest } from '../core/receiver/guest.js';
import type { ReceiverInput } from '../core/receiver/inputs.js';
import { listScum, type ScumReasons } from '../core/scum.js';
import type { Message, Scum, State, Trit } from '../protocol/messages.js';
import type { LoadSample, ProcessSample } from '../sense/sense.js';
import type { NodeSettings } from './settings.js';
import type { NodeInput } from './inputs.js';

/** What the condition needs of the node. */
export interface ConditionParts {
  readonly settings: NodeSettings;
  readonly clock: Clock;
  readonly view: MeshView;
  /** This node's birth message, as its own view holds it. */
  readonly info: Message<'info'>;
  guests(): Iterable<Guest>;
  counts(): { readonly queued: number; readonly deferred: number };
  /** The item and whether it may move, of a process that belongs to a guest. */
  guestOfPid(pid: number): { readonly item: string; readonly movable: boolean } | undefined;
  /** Names a copy of this node that was heard of lately. */
  copy(): string | undefined;
  /** What is done about a process, and why. */
  readonly reasons: ScumReasons<ProcessSample>;
}

/** What this node knows of itself. */
export interface Condition {
  take(input: NodeInput): void;
  /** The state as of now; `undefined` before the first sample. */
  state(): State | undefined;
  scum(): Scum;
  readonly draining: boolean;
  readonly accepting: boolean;
  /** Why the journal cannot be written; `undefined` while it can. */
  readonly journalFault: string | undefined;
  /** Why there is no room for a guest beside what others were promised. */
  findRoomLack(guest: Guest | undefined): string | undefined;
  /** A state was said: that is what others know of this node. */
  said(state: State): void;
  /** Something changed that the state is made of: a guest, an item. */
  touch(): void;
  /** Works the state out again and puts it into the view. */
  refresh(): void;
  /** The same, unless nothing changed since: what is heard of others changes nothing here. */
  keepFresh(): void;
}

/** Inputs that say something of other members only. */
const OF_OTHERS: ReadonlySet<NodeInput['type']> = new Set([
  'StateHeard',
  'InfoHeard',
  'AvailabilityHeard',
  'MemberChanged',
  'MeshChanged',
]);

/** A state is believed for this many times the pause between two of them. */
const TTL_PAUSES = 3;

/** Makes the condition of a node that has sensed nothing yet. */
export function keepCondition(parts: ConditionParts, drained: boolean): Condition {
  let sample: LoadSample | undefined;
  let trit: Trit = 0;
  let guestCpuPercent = 0;
  let processes: readonly ProcessSample[] = [];
  let scumCount = 0;
  let draining = drained;
  let willing = true;
  let renamed = false;
  let journalFault: string | undefined;
  let disk: DiskState | undefined;
  let lack: RoomLack | undefined;
  /** Bytes that were staged or fetched since the last sample: it does not show them yet, and nobody holds a promise of them any more. */
  let landed = 0;
  let rejected = 0;
  let state: State | undefined;
  let stale = true;
  let saidRatio = 0;

  function take(input: NodeInput): void {
    if (OF_OTHERS.has(input.type)) return;
    stale = true;
    switch (input.type) {
      case 'LoadClassified':
        ({ sample, trit } = input);
        return;
      case 'ProcessesListed':
        return takeProcesses(input.processes);
      case 'DiskMeasured':
        ({ disk } = input);
        landed = 0;
        // The disk tells so itself now.
        if (lack !== undefined && disk.room < lack.below) lack = undefined;
        return;
      case 'SenseFailed':
        if (input.sense === 'disk') disk = undefined;
        return;
      case 'OwnerFact':
        if (input.fact.type === 'ItemStaged') landed += input.fact.bundle.room ?? input.fact.bundle.bytes;
        return;
      case 'GuestFact':
        noteLack(input.guest, input.fact);
        return;
      case 'SetHeard':
        if (input.key === 'drain') draining = input.value === 'ON';
        if (input.key === 'accept') willing = input.value === 'ON';
        return;
      case 'RenameWanted':
        renamed = input.to !== undefined;
        return;
      case 'JournalChanged':
        journalFault = input.fault;
        return;
      case 'MessageRefused':
      case 'RequestRefused':
        rejected += 1;
        return;
      default:
    }
  }

  function takeProcesses(listed: readonly ProcessSample[]): void {
    processes = listed;
    scumCount = listHeavy().count;
    guestCpuPercent = listed
      .filter((one) => parts.guestOfPid(one.pid) !== undefined)
      .reduce((sum, one) => sum + one.cpuPercent, 0);
  }

  function noteLack(name: string, fact: ReceiverInput): void {
    if (fact.type !== 'InputsFetched' && fact.type !== 'FetchFailed') return;
    const guest = [...parts.guests()].find((one) => guestName(one) === name);
    if (fact.type === 'InputsFetched') {
      lack = undefined;
      landed += guest?.need.disk_bytes ?? 0;
    }
    if (fact.type !== 'FetchFailed' || fact.lacksRoom !== true) return;
    lack = noteRoomLack(lack, guest?.need.disk_bytes ?? 0, parts.clock.now());
  }

  /** Bytes beyond the reserve; where the disk gave less than it tells (a quota), what it gave. */
  function roomNow(): number | undefined {
    const room = disk === undefined ? undefined : disk.room - landed;
    if (lack === undefined || parts.clock.now() >= lack.until) return room;
    return Math.min(room ?? Number.POSITIVE_INFINITY, lack.below);
  }

  /** Made when it is asked for: what is throttled changes between two looks. */
  function listHeavy(): Scum {
    return listScum(processes, trit, parts.settings.scumFormula, parts.guestOfPid, parts.reasons);
  }

  function refresh(): void {
    stale = false;
    if (sample === undefined) return;
    const { settings } = parts;
    const copy = parts.copy();
    const derived = deriveState(
      {
        loadRatio: sample.ratio,
        trit,
        cpus: sample.cpus,
        cpuPercent: sample.cpuPercent,
        memoryPercent: sample.memoryPercent,
        psiPercent: sample.psiPercent,
        guestCpuPercent,
        diskRoom: roomNow(),
        isDiskFull: disk?.isFull === true,
        slots: settings.slots,
        // A node that cannot write its journal must not take anything on.
        draining: draining || journalFault !== undefined,
        accepting: willing && !renamed && settings.accept !== 'nothing',
        ...parts.counts(),
        scum: scumCount,
        rejected,
        ttlS: (settings.stateEveryMs * TTL_PAUSES) / 1000,
      },
      parts.guests(),
      parts.clock.now(),
    );
    const next = copy === undefined ? derived : { ...derived, copy };
    state = next;
    enterView(next);
  }

  /**
   * All rank by what was said. Where this node is less loaded by now than others know, it must not think itself first: at 100 nodes
   * three claimed an item where one would have done.
   */
  function enterView(fresh: State): void {
    const next = { ...fresh, projected_ratio: Math.max(fresh.projected_ratio, saidRatio) };
    const now = parts.clock.now();
    const self: Member = {
      id: parts.settings.id,
      info: parts.info,
      state: next,
      heardAt: now,
      boot: parts.info.boot,
      seq: 0,
      available: true,
      offlineSince: Number.NEGATIVE_INFINITY,
    };
    putMember(parts.view, self, now);
  }

  return {
    take,
    state: () => state,
    scum: listHeavy,
    get draining() {
      return draining;
    },
    get accepting() {
      return willing && !renamed;
    },
    findRoomLack: (guest) => {
      const room = roomNow();
      if (room === undefined || guest === undefined) return undefined;
      const others = [...parts.guests()].filter((one) => one !== guest);
      // What rounding takes off is not refused: it was claimed with less.
      const free = disk?.isFull === true ? 0 : Math.max(1, room - countPromised(others));
      return findRoomLack(guest.need.disk_bytes ?? 0, free);
    },
    get journalFault() {
      return journalFault;
    },
    said: ({ projected_ratio }) => {
      saidRatio = projected_ratio;
      stale = true;
    },
    touch: () => {
      stale = true;
    },
    refresh,
    keepFresh: () => {
      if (stale) refresh();
    },
  };
}
