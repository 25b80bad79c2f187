/**
 * The invariants: what must hold at any time, whatever the faults. They are checked on what can be observed from
 * outside: messages, disks and processes. They never trust what a node says about itself.
 */
import type { BusPublish } from '../../bus/bus.js';
import { parseTopic } from '../../protocol/topics.js';
import { createMoveChecks } from './move-checks.js';
import { createDiskSpaceChecks } from './room-checks.js';
import type { SimMachine } from '../parts/sim-machine.js';
import type { SimProcess } from '../parts/sim-process.js';
import type { SimDiskSpace } from '../parts/sim-disk-space.js';
import type { Plan, Submission } from '../plan/plan.js';
import { createTwiceChecks, itemOf, workOf } from './twice-checks.js';
import type { ObservedAck, ObservedLease, ObservedOffer, ObservedRecord, ObservedResult } from './observed.js';

/** A promise that was broken. */
export interface Violation {
  readonly at: number;
  readonly promise: string;
  readonly detail: string;
}

/** A node's current state, for the rule of which nodes may claim. */
export interface Claimant {
  readonly trit: number;
  readonly draining: boolean;
  readonly slots_free: number;
  readonly disk_free_bytes?: number | undefined;
}

/** What the invariants observe. */
export interface InvariantDeps {
  readonly plan: Plan;
  readonly base: string;
  now(): number;
  machines(): readonly SimMachine[];
  /** An entry of a node's journal, parsed. */
  entry(node: string, key: string): Record<string, unknown> | undefined;
  claimant(node: string): Claimant | undefined;
  diskSpace(node: string): SimDiskSpace | undefined;
}

/** The invariants of one simulation. */
export interface Invariants {
  readonly violations: readonly Violation[];
  /** By `<owner>/<item>`: the node that last reported that it ran to its end. */
  readonly finished: ReadonlyMap<string, string>;
  published(message: BusPublish): void;
  journalled(node: string, key: string, before: string | undefined, after: string | undefined): void;
  processChanged(machine: SimMachine, process: SimProcess): void;
  /** A node's fetch failed for lack of disk space. */
  fetchLackedSpace(node: string, share: string): void;
  /** Checks all running processes again: a machine that was paused has had time to learn what happened meanwhile. */
  checkRunning(): void;
  /** To be called {@link WAKE_GRACE_MS} after a machine woke up. */
  machineWoke(machine: SimMachine): void;
  report(promise: string, detail: string): void;
}

/** Creates the invariants of a plan, without violations. */
export function createInvariants(deps: InvariantDeps): Invariants {
  const { plan, base } = deps;
  const violations: Violation[] = [];
  const holders = new Map<string, string>();
  const starts = new Map<string, Set<string>>();
  const finished = new Map<string, string>();
  const works = new Map<string, Submission>(plan.submissions.map((one) => [one.item, one]));
  const report = (promise: string, detail: string): void => {
    violations.push({ at: deps.now(), promise, detail });
  };

  const moves = createMoveChecks({
    entry: deps.entry,
    report,
    isOnce: (work) => works.get(itemOf(work))?.retry === 'once',
    isAlive: (node, run) =>
      deps
        .machines()
        .find((one) => one.host.id === node)
        ?.processes.get(run)?.state === 'alive',
  });

  const twice = createTwiceChecks({ now: deps.now, machines: deps.machines, report });
  const diskSpaceChecks = createDiskSpaceChecks({
    now: deps.now,
    diskSpace: deps.diskSpace,
    report,
  });

  function published(message: BusPublish): void {
    const topic = parseTopic(base, message.topic);
    if (topic?.kind === 'ack') checkAck(topic.owner, topic.item, JSON.parse(message.payload) as ObservedAck);
    if (topic?.kind === 'lease') checkLease(topic.owner, topic.item, JSON.parse(message.payload) as ObservedLease);
    if (topic?.kind === 'result') noteResult(topic, JSON.parse(message.payload) as ObservedResult);
    if (topic?.kind === 'offer')
      diskSpaceChecks.offered(topic.owner, topic.item, (JSON.parse(message.payload) as ObservedOffer).size_bytes);
    if (topic?.kind === 'claim') diskSpaceChecks.claimed(topic.node, topic.owner, topic.item);
    if (topic?.kind === 'claim' && topic.node !== topic.owner) checkClaim(topic.node, topic.item);
  }

  function checkAck(owner: string, item: string, ack: ObservedAck): void {
    const epoch = `${owner}/${item}/${ack.epoch}`;
    const holder = holders.get(epoch);
    if (holder !== undefined && holder !== ack.to) {
      report('at most one receiver holds an item and epoch', `${epoch} was acked to ${holder} and to ${ack.to}`);
    }
    holders.set(epoch, ack.to);
    const record = deps.entry(owner, `item/${item}`);
    if (record?.['epoch'] !== ack.epoch || record['receiver'] !== ack.to) {
      report('an ack is journaled before it is published', `${epoch} to ${ack.to} is not in the journal of ${owner}`);
    }
  }

  function checkLease(owner: string, item: string, lease: ObservedLease): void {
    moves.leasePublished(owner, item, lease);
    checkRelease(owner, item, lease);
  }

  /** Until the end is journaled, the receiver has the only copy of the result if the owner crashes. */
  function checkRelease(owner: string, item: string, lease: ObservedLease): void {
    if (lease.order !== 'settled') return;
    const record = deps.entry(owner, `item/${item}`);
    if (record === undefined || record['epoch'] !== lease.epoch || record['receiver'] !== lease.to) return;
    if (!HELD.has(String(record['phase']))) return;
    report(
      'a receiver is released only after the end is journaled',
      `${owner} released ${lease.to} from ${item} in phase ${String(record['phase'])}`,
    );
  }

  function noteResult(
    topic: { readonly owner: string; readonly item: string; readonly node: string },
    result: ObservedResult,
  ): void {
    if (result.outcome === 'exited') finished.set(`${topic.owner}/${topic.item}`, topic.node);
  }

  function checkClaim(node: string, item: string): void {
    const claimant = deps.claimant(node);
    if (claimant === undefined || (claimant.trit === -1 && !claimant.draining)) return;
    const state = claimant.draining ? 'is draining' : `has trit ${claimant.trit}`;
    report('only MINUS nodes that do not drain claim', `${node} claimed ${item}, but it ${state}`);
  }

  function journalled(node: string, key: string, before: string | undefined, after: string | undefined): void {
    if (!key.startsWith('item/') || before === undefined) return;
    const old = JSON.parse(before) as ObservedRecord;
    if (after === undefined) {
      if (!SETTLED.has(old.phase))
        report('an item leaves the journal only when settled', `${node} dropped ${key} in phase ${old.phase}`);
      return;
    }
    const next = JSON.parse(after) as ObservedRecord;
    if (next.lastEpoch < old.lastEpoch)
      report(
        'messages of an older epoch change nothing',
        `${node} ${key} went from epoch ${old.lastEpoch} back to ${next.lastEpoch}`,
      );
    if (next.phase === 'cancelled' && next.result?.outcome === 'exited')
      report('a cancel discards no result', `${node} cancelled ${key} after its result had arrived`);
    if (SETTLED.has(old.phase) && next.phase !== old.phase) {
      report('a settled item stays settled', `${node} ${key} went from ${old.phase} to ${next.phase}`);
    }
  }

  function processChanged(machine: SimMachine, process: SimProcess): void {
    const work = workOf(process.run);
    moves.processChanged(work, process);
    if (process.state !== 'alive') return;
    if (!process.stopped) checkRun(work, process, machine);
    checkSlots(machine);
  }

  function checkRun(work: string, process: SimProcess, machine: SimMachine): void {
    // By item alone, whichever node claims to be its owner.
    const item = itemOf(work);
    const count = (starts.get(item) ?? new Set()).add(process.writes);
    starts.set(item, count);
    if (works.get(item)?.retry === 'once' && count.size > 1)
      report('a once item never starts twice', `${work} was started ${count.size} times`);
    if (plan.startsOnce === true && count.size > 1) report(STARTS_ONCE, `${work} was started ${count.size} times`);
    twice.started(process, machine);
  }

  function checkSlots(machine: SimMachine): void {
    let taken = 0;
    for (const process of machine.processes.values()) {
      if (process.state === 'alive') taken += works.get(itemOf(workOf(process.run)))?.cpus ?? 1;
    }
    if (taken > plan.slots)
      report('a receiver never exceeds its slots', `${machine.host.id} runs ${taken} of ${plan.slots} slots`);
  }

  return {
    violations,
    finished,
    published,
    journalled,
    processChanged,
    checkRunning: twice.checkRunning,
    machineWoke: twice.machineWoke,
    fetchLackedSpace: diskSpaceChecks.fetchLackedSpace,
    report,
  };
}

/** The promise of plans in which nothing excuses a second start, or an end other than the job's own. */
export const STARTS_ONCE = 'without a reason, no job is ended and none is started again';

/** Phases in which an item is settled. `lost` is not one of them: a person may still decide. */
export const SETTLED: ReadonlySet<string> = new Set(['done', 'failed', 'cancelled']);

/** Phases in which the receiver still has data that the owner needs. */
const HELD: ReadonlySet<string> = new Set(['acked', 'running', 'returning']);
