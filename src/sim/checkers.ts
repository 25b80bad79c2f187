/**
 * What must hold at every moment, whatever the faults, and what must hold once all is healed. A checker looks at what can be
 * seen from outside: messages, disks, processes. It trusts no node's word about itself.
 */
import type { BusPublish } from '../bus/bus.js';
import { parseTopic } from '../protocol/topics.js';
import { createMoveChecks } from './move-checks.js';
import { createRoomChecks } from './room-checks.js';
import type { SimMachine } from './sim-machine.js';
import type { SimProcess } from './sim-process.js';
import type { SimRoom } from './sim-room.js';
import type { Plan, Submission } from './plan.js';
import { createTwiceChecks, itemOf, splitRun } from './twice-checks.js';
import type { AckSaid, LeaseSaid, OfferSaid, RecordKept, ResultSaid } from './observed.js';

/** A promise that was broken. */
export interface Violation {
  readonly at: number;
  readonly promise: string;
  readonly detail: string;
}

/** What a node says of itself at the moment, for the rule of who may claim. */
export interface Claimant {
  readonly trit: number;
  readonly draining: boolean;
  readonly slots_free: number;
  readonly disk_free_bytes?: number | undefined;
}

/** What the checkers look at. */
export interface CheckerParts {
  readonly plan: Plan;
  readonly base: string;
  now(): number;
  machines(): readonly SimMachine[];
  /** An entry of a node's disk, parsed. */
  entry(node: string, key: string): Record<string, unknown> | undefined;
  claimant(node: string): Claimant | undefined;
  room(node: string): SimRoom | undefined;
}

/** The checkers of one simulation. */
export interface Checkers {
  readonly violations: readonly Violation[];
  /** By `<owner>/<item>`: who said last that it ran to its end. */
  readonly finished: ReadonlyMap<string, string>;
  published(message: BusPublish): void;
  journalled(node: string, key: string, before: string | undefined, after: string | undefined): void;
  processChanged(machine: SimMachine, process: SimProcess): void;
  /** A fetch of a node found no room. */
  starved(node: string, share: string): void;
  /** Looks for what runs twice although nothing changed: a machine that stood still has had its time to learn. */
  lookAgain(): void;
  /** To be called {@link WAKE_GRACE_MS} after a machine woke. */
  woken(machine: SimMachine): void;
  report(promise: string, detail: string): void;
}

/** Makes the checkers. */
export function createCheckers(parts: CheckerParts): Checkers {
  const { plan, base } = parts;
  const violations: Violation[] = [];
  const holders = new Map<string, string>();
  const starts = new Map<string, Set<string>>();
  const finished = new Map<string, string>();
  const works = new Map<string, Submission>(plan.submissions.map((one) => [one.item, one]));
  const report = (promise: string, detail: string): void => {
    violations.push({ at: parts.now(), promise, detail });
  };

  const moves = createMoveChecks({
    entry: parts.entry,
    report,
    isOnce: (work) => works.get(itemOf(work))?.retry === 'once',
    lives: (node, run) =>
      parts
        .machines()
        .find((one) => one.host.id === node)
        ?.processes.get(run)?.state === 'lives',
  });

  const twice = createTwiceChecks({ now: parts.now, machines: parts.machines, report });
  const rooms = createRoomChecks({
    now: parts.now,
    room: parts.room,
    report,
  });

  function published(message: BusPublish): void {
    const topic = parseTopic(base, message.topic);
    if (topic?.kind === 'ack') checkAck(topic.owner, topic.item, JSON.parse(message.payload) as AckSaid);
    if (topic?.kind === 'lease') checkOrder(topic.owner, topic.item, JSON.parse(message.payload) as LeaseSaid);
    if (topic?.kind === 'result') noteResult(topic, JSON.parse(message.payload) as ResultSaid);
    if (topic?.kind === 'offer')
      rooms.offered(topic.owner, topic.item, (JSON.parse(message.payload) as OfferSaid).size_bytes);
    if (topic?.kind === 'claim') rooms.claimed(topic.node, topic.owner, topic.item);
    if (topic?.kind === 'claim' && topic.node !== topic.owner) checkClaim(topic.node, topic.item);
  }

  function checkAck(owner: string, item: string, ack: AckSaid): void {
    const epoch = `${owner}/${item}/${ack.epoch}`;
    const holder = holders.get(epoch);
    if (holder !== undefined && holder !== ack.to) {
      report('at most one receiver holds an item and epoch', `${epoch} was acked to ${holder} and to ${ack.to}`);
    }
    holders.set(epoch, ack.to);
    const record = parts.entry(owner, `item/${item}`);
    if (record?.['epoch'] !== ack.epoch || record['receiver'] !== ack.to) {
      report('an ack is journalled before it is said', `${epoch} to ${ack.to} is not in the journal of ${owner}`);
    }
  }

  function checkOrder(owner: string, item: string, lease: LeaseSaid): void {
    moves.ordered(owner, item, lease);
    checkRelease(owner, item, lease);
  }

  /** Until the end is journalled, a crash of the owner would make the receiver's result the only one. */
  function checkRelease(owner: string, item: string, lease: LeaseSaid): void {
    if (lease.order !== 'settled') return;
    const record = parts.entry(owner, `item/${item}`);
    if (record === undefined || record['epoch'] !== lease.epoch || record['receiver'] !== lease.to) return;
    if (!HELD.has(String(record['phase']))) return;
    report(
      'a receiver is released only when its end is journalled',
      `${owner} released ${lease.to} from ${item} in phase ${String(record['phase'])}`,
    );
  }

  function noteResult(
    topic: { readonly owner: string; readonly item: string; readonly node: string },
    result: ResultSaid,
  ): void {
    if (result.outcome === 'exited') finished.set(`${topic.owner}/${topic.item}`, topic.node);
  }

  function checkClaim(node: string, item: string): void {
    const claimant = parts.claimant(node);
    if (claimant === undefined || (claimant.trit === -1 && !claimant.draining)) return;
    const state = claimant.draining ? 'is draining' : `has trit ${claimant.trit}`;
    report('only MINUS nodes that do not drain claim', `${node} claimed ${item} although it ${state}`);
  }

  function journalled(node: string, key: string, before: string | undefined, after: string | undefined): void {
    if (!key.startsWith('item/') || before === undefined) return;
    const old = JSON.parse(before) as RecordKept;
    if (after === undefined) {
      if (!SETTLED.has(old.phase))
        report('an item leaves the journal only when settled', `${node} dropped ${key} in phase ${old.phase}`);
      return;
    }
    const next = JSON.parse(after) as RecordKept;
    if (next.lastEpoch < old.lastEpoch)
      report(
        'stale epochs change nothing',
        `${node} ${key} went from epoch ${old.lastEpoch} back to ${next.lastEpoch}`,
      );
    if (next.phase === 'cancelled' && next.result?.outcome === 'exited')
      report('a cancel throws no result away', `${node} ${key} was cancelled although its result was there`);
    if (SETTLED.has(old.phase) && next.phase !== old.phase) {
      report('a settled item stays settled', `${node} ${key} went from ${old.phase} to ${next.phase}`);
    }
  }

  function processChanged(machine: SimMachine, process: SimProcess): void {
    const work = splitRun(process.run);
    moves.processChanged(work, process);
    if (process.state !== 'lives') return;
    if (!process.stopped) checkRun(work, process, machine);
    checkSlots(machine);
  }

  function checkRun(work: string, process: SimProcess, machine: SimMachine): void {
    // By item, whoever calls itself its owner.
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
      if (process.state === 'lives') taken += works.get(itemOf(splitRun(process.run)))?.cpus ?? 1;
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
    lookAgain: twice.lookAgain,
    woken: twice.woken,
    starved: rooms.starved,
    report,
  };
}

/** Of plans in which nothing excuses more than one start, or another end than a job's own. */
export const STARTS_ONCE = 'what nothing excuses ends no job and starts none again';

/** Phases that are ends; `lost` is none, a person may still decide. */
export const SETTLED: ReadonlySet<string> = new Set(['done', 'failed', 'cancelled']);

/** Phases in which a receiver still has what its owner needs. */
const HELD: ReadonlySet<string> = new Set(['acked', 'running', 'returning']);
