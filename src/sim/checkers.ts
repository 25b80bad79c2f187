/**
 * What must hold at every moment, whatever the faults, and what must hold once all is healed. A checker looks at what can be
 * seen from outside: messages, disks, processes. It trusts no node's word about itself.
 */
import type { BusPublish } from '../bus/bus.js';
import { parseTopic } from '../protocol/topics.js';
import { createMoveChecks } from './move-checks.js';
import { GUARDIAN_STEP_MS, type SimMachine, type SimProcess } from './sim-machine.js';
import type { Plan, Submission } from './plan.js';

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
}

/** The checkers of one simulation. */
export interface Checkers {
  readonly violations: readonly Violation[];
  /** By `<owner>/<item>`: who said last that it ran to its end. */
  readonly finished: ReadonlyMap<string, string>;
  published(message: BusPublish): void;
  journalled(node: string, key: string, before: string | undefined, after: string | undefined): void;
  processChanged(machine: SimMachine, process: SimProcess): void;
  report(promise: string, detail: string): void;
}

/** Makes the checkers. */
export function createCheckers(parts: CheckerParts): Checkers {
  const { plan, base } = parts;
  const violations: Violation[] = [];
  const holders = new Map<string, string>();
  const starts = new Map<string, Set<string>>();
  const finished = new Map<string, string>();
  const works = new Map<string, Submission>(plan.submissions.map((one) => [`${one.node}/${one.item}`, one]));
  const report = (promise: string, detail: string): void => {
    violations.push({ at: parts.now(), promise, detail });
  };

  const moves = createMoveChecks({
    entry: parts.entry,
    report,
    isOnce: (work) => works.get(work)?.retry === 'once',
    lives: (node, run) =>
      parts
        .machines()
        .find((one) => one.host.id === node)
        ?.processes.get(run)?.state === 'lives',
  });

  function published(message: BusPublish): void {
    const topic = parseTopic(base, message.topic);
    if (topic?.kind === 'ack') checkAck(topic.owner, topic.item, JSON.parse(message.payload) as AckSaid);
    if (topic?.kind === 'lease') checkOrder(topic.owner, topic.item, JSON.parse(message.payload) as LeaseSaid);
    if (topic?.kind === 'result') noteResult(topic, JSON.parse(message.payload) as ResultSaid);
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
    if (SETTLED.has(old.phase) && next.phase !== old.phase) {
      report('a settled item stays settled', `${node} ${key} went from ${old.phase} to ${next.phase}`);
    }
  }

  function processChanged(machine: SimMachine, process: SimProcess): void {
    const work = splitRun(process.run);
    moves.processChanged(work, process);
    if (process.state !== 'lives') return;
    if (!process.stopped) checkRun(work, process);
    checkSlots(machine);
  }

  function checkRun(work: string, process: SimProcess): void {
    const count = (starts.get(work) ?? new Set()).add(process.writes);
    starts.set(work, count);
    if (works.get(work)?.retry === 'once' && count.size > 1)
      report('a once item never starts twice', `${work} was started ${count.size} times`);
    for (const other of parts.machines()) checkOthers(work, process, other);
  }

  function checkOthers(work: string, process: SimProcess, machine: SimMachine): void {
    // What sleeps does not execute; a machine that just woke gives its guardians a moment to look (see the limits).
    if (machine.suspended || parts.now() - machine.wokeAt <= WAKE_GRACE_MS) return;
    for (const other of machine.processes.values()) {
      if (other === process || other.state !== 'lives' || other.stopped || splitRun(other.run) !== work) continue;
      report('nothing runs twice at the same time', `${process.execution} started while ${other.execution} lived`);
    }
  }

  function checkSlots(machine: SimMachine): void {
    let taken = 0;
    for (const process of machine.processes.values()) {
      if (process.state === 'lives') taken += works.get(splitRun(process.run))?.cpus ?? 1;
    }
    if (taken > plan.slots)
      report('a receiver never exceeds its slots', `${machine.host.id} runs ${taken} of ${plan.slots} slots`);
  }

  return { violations, finished, published, journalled, processChanged, report };
}

interface AckSaid {
  readonly epoch: number;
  readonly to: string;
}

interface LeaseSaid {
  readonly epoch: number;
  readonly to: string;
  readonly order: string;
}

interface ResultSaid {
  readonly outcome: string;
}

interface RecordKept {
  readonly phase: string;
  readonly lastEpoch: number;
}

/** Phases that are ends; `lost` is none, a person may still decide. */
export const SETTLED: ReadonlySet<string> = new Set(['done', 'failed', 'cancelled']);

/** Phases in which a receiver still has what its owner needs. */
const HELD: ReadonlySet<string> = new Set(['acked', 'running', 'returning']);

/** After a machine woke: its guardians look within this time. */
const WAKE_GRACE_MS = GUARDIAN_STEP_MS + 500;

/** `<owner>/<item>` of a run. */
function splitRun(run: string): string {
  const [owner = '', item = ''] = run.split('/');
  return `${owner}/${item}`;
}
