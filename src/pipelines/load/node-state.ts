/**
 * The node-state stage: derives this node's own state from what it last sensed and what people have set. It also puts
 * that state into the member table, so a node sees itself like any other member, only sooner.
 */
import type { Clock } from '../../clock/clock.js';
import { deriveState } from '../../core/node-state.js';
import type { Member } from '../../core/mesh/member.js';
import { putMember, type MemberTable } from '../../core/mesh/member-table.js';
import type { AcceptanceContext } from '../../core/receiver/policy.js';
import type { Guest } from '../../core/receiver/guest.js';
import { listScum, type ScumReasons } from '../../core/processes/scum.js';
import type { Message, Scum, State, Trit } from '../../protocol/messages.js';
import type { Reason } from '../../protocol/reasons.js';
import type { LoadSample, ProcessSample } from '../../sense/sense.js';
import type { NodeSettings } from '../settings.js';
import type { NodeInput } from '../inputs.js';
import { createFreeSpace } from './free-space.js';

/** What the node state needs. */
export interface NodeStateDeps {
  readonly settings: NodeSettings;
  readonly clock: Clock;
  readonly members: MemberTable;
  /** This node's birth message. */
  readonly info: Message<'info'>;
  guests(): Iterable<Guest>;
  counts(): { readonly queued: number; readonly deferred: number };
  /** Share of one core that all guests used in the last sample, 0..100 times the number of cores. */
  guestCpuPercent(): number;
  /** The item of a process that belongs to a guest, and whether it may move. */
  guestOfPid(pid: number): { readonly item: string; readonly movable: boolean } | undefined;
  /** Names a copy of this node that was heard of recently. */
  copy(): string | undefined;
  /** What is done about a process, and why. */
  readonly reasons: ScumReasons<ProcessSample>;
}

/** What this node knows of itself. */
export interface NodeState {
  handle(input: NodeInput): void;
  /** The current state; `undefined` before the first sample. */
  state(): State | undefined;
  scum(): Scum;
  readonly draining: boolean;
  readonly accepting: boolean;
  /** The input of every decision about whose work this node accepts. */
  acceptance(): AcceptanceContext;
  /** Why the journal cannot be written; `undefined` while it can. */
  readonly journalFault: string | undefined;
  /** Why there is no disk space for a guest besides what others were promised; `undefined` if there is. */
  findSpaceLack(guest: Guest | undefined): Reason | undefined;
  /** This state was published: it is what others know of this node. */
  markPublished(state: State): void;
  /** Something that the state is derived from has changed, such as a guest or an item. */
  invalidate(): void;
  /** Derives the state again and puts it into the member table. */
  refresh(): void;
  /** The same, unless nothing has changed since: news of other members changes nothing here. */
  keepFresh(): void;
}

/** Inputs that concern other members only. */
const OF_OTHERS: ReadonlySet<NodeInput['type']> = new Set([
  'StateHeard',
  'InfoHeard',
  'AvailabilityHeard',
  'MemberChanged',
  'MeshChanged',
  'KeyPinned',
]);

/** A state is trusted for this many publishing intervals. */
const TTL_PAUSES = 3;

/** Creates the state of a node that has sensed nothing yet. */
export function createNodeState(deps: NodeStateDeps, drained: boolean): NodeState {
  let sample: LoadSample | undefined;
  let trit: Trit = 0;
  let processes: readonly ProcessSample[] = [];
  let scumCount = 0;
  let draining = drained;
  let isWilling = true;
  let isRenamed = false;
  let journalFault: string | undefined;
  const space = createFreeSpace(deps);
  let rejected = 0;
  let state: State | undefined;
  let isStale = true;
  let publishedRatio = 0;

  function handle(input: NodeInput): void {
    if (OF_OTHERS.has(input.type)) return;
    isStale = true;
    space.handle(input);
    switch (input.type) {
      case 'LoadClassified':
        ({ sample, trit } = input);
        return;
      case 'ProcessesListed':
        return handleProcesses(input.processes);
      case 'SetHeard':
        if (input.key === 'drain') draining = input.value === 'ON';
        if (input.key === 'accept') isWilling = input.value === 'ON';
        return;
      case 'RenameWanted':
        isRenamed = input.to !== undefined;
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

  function handleProcesses(listed: readonly ProcessSample[]): void {
    processes = listed;
    scumCount = listScumNow().count;
  }

  /** Computed on demand, since throttles change between two samples. */
  function listScumNow(): Scum {
    return listScum(processes, trit, deps.settings.scumFormula, deps.guestOfPid, deps.reasons);
  }

  function refresh(): void {
    isStale = false;
    if (sample === undefined) return;
    const { settings } = deps;
    const copy = deps.copy();
    const derived = deriveState(
      {
        loadRatio: sample.ratio,
        trit,
        cpus: sample.cpus,
        cpuPercent: sample.cpuPercent,
        memoryPercent: sample.memoryPercent,
        psiPercent: sample.psiPercent,
        guestCpuPercent: deps.guestCpuPercent(),
        diskRoom: space.bytes(),
        isDiskFull: space.isFull,
        slots: settings.slots,
        // A node that cannot write its journal must not accept anything.
        draining: draining || journalFault !== undefined,
        accepting: isWilling && !isRenamed && settings.accept !== 'nothing',
        ...deps.counts(),
        scum: scumCount,
        rejected,
        ttlS: (settings.stateEveryMs * TTL_PAUSES) / 1000,
      },
      deps.guests(),
      deps.clock.now(),
    );
    const next = copy === undefined ? derived : { ...derived, copy };
    state = next;
    updateOwnMember(next);
  }

  /**
   * Everyone ranks by published states. Where this node is less loaded by now than others know, it must not rank itself
   * first: at 100 nodes, three claimed an item where one would have done.
   */
  function updateOwnMember(fresh: State): void {
    const next = { ...fresh, projected_ratio: Math.max(fresh.projected_ratio, publishedRatio) };
    const now = deps.clock.now();
    const self: Member = {
      id: deps.settings.id,
      info: deps.info,
      state: next,
      heardAt: now,
      boot: deps.info.boot,
      seq: 0,
      available: true,
      offlineSince: Number.NEGATIVE_INFINITY,
    };
    putMember(deps.members, self, now);
  }

  return {
    handle,
    state: () => state,
    scum: listScumNow,
    get draining() {
      return draining;
    },
    get accepting() {
      return isWilling && !isRenamed;
    },
    findSpaceLack: space.findLack,
    get journalFault() {
      return journalFault;
    },
    acceptance: () => {
      const { id, accept, acceptFrom } = deps.settings;
      return { self: id, accept, acceptFrom, accepting: isWilling && !isRenamed, draining, journalFault };
    },
    markPublished: ({ projected_ratio }) => {
      publishedRatio = projected_ratio;
      isStale = true;
    },
    invalidate: () => {
      isStale = true;
    },
    refresh,
    keepFresh: () => {
      if (isStale) refresh();
    },
  };
}
