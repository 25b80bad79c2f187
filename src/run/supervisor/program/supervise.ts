/**
 * The supervisor as a Node.js program: starts runs, holds their deadlines, and records how they end. It must go on
 * whatever becomes of the node, and nothing that the node does may block it.
 */
import { closeSync, constants as fileConstants, existsSync, openSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { TICKS_PER_S, tryReadProcStat } from '../../../os/proc-stat.js';
import { readBootId } from '../../../os/boot-id.js';
import { tryReadStart } from '../../processes/process-table.js';
import { signalProcess } from '../../processes/session.js';
import type { LeaseFrame, StartFrame, SupervisorFrame } from '../frames.js';
import type { SupervisorLine } from '../lines.js';
import { createCountdown, type Countdown } from './countdown.js';
import { createLineHistory } from './history.js';
import type { LogFile } from './log-file.js';
import { holdAll, killAll } from './run-processes.js';
import type { SleepClock } from './sleep-clock.js';
import type { Slots } from './slots.js';
import { spawnLeader, type SpawnFault } from './spawn-run.js';

/** What the supervisor works with. */
export interface SuperviseDeps {
  readonly log: LogFile;
  /** The first line of the log. */
  readonly first: SupervisorLine;
  readonly slots: Slots;
  readonly clock: SleepClock;
  /** Reports a line to the node, if that is still there. */
  report(line: SupervisorLine): void;
  /** Nothing is left to do. */
  leave(): void;
}

/** The supervisor of one boot of a node. */
export interface Supervise {
  handle(frame: SupervisorFrame): void;
  /** The node's last word has been read. */
  orphan(): void;
}

interface SupervisedRun {
  readonly id: number;
  readonly slot: number;
  readonly order: StartFrame;
  readonly countdown: Countdown;
  readonly pid: number;
  readonly startedAt: number;
  /** What was stopped because the lease is in doubt; empty when nothing is. */
  held: ReadonlySet<number>;
  isEnding: boolean;
}

/** An orphan reads its leases this often; more often while something may depend on them. Milliseconds. */
const LOOK_MS = 1000;
const NEAR_LOOK_MS = 200;
const NEAR_MS = 2000;
/** Room in the log that a start wants, that a refusal leaves, and that is kept for each live run. */
const ROOM_BYTES = 4096;
const KEPT_BYTES = 1024;
const RUN_ROOM_BYTES = 256;
/** A longer log is replaced by what is still needed of it. */
const LOG_BYTES_LIMIT: number = 256 * 1024;

/** Creates the supervisor. */
export function supervise({ log, first, slots, clock, report, leave }: SuperviseDeps): Supervise {
  const runs = new Map<number, SupervisedRun>();
  const history = createLineHistory(first);
  let doubt = 0;
  let logLimit = LOG_BYTES_LIMIT;
  let isOrphan = false;
  let last = clock.now();
  let timer: NodeJS.Timeout | undefined;
  let childTicks = readChildTicks();

  /** The log comes first: what is reported must be found by a later boot. */
  function write(line: SupervisorLine): string | undefined {
    const fault = log.append(line);
    if (fault === undefined) history.add(line);
    report(line);
    return fault;
  }

  function start(order: StartFrame): void {
    const { id, limitMs, mode, directory } = order;
    look();
    if (log.size() > logLimit && !isOrphan) shorten();
    const slot = slots.take(id);
    const begin = { word: 'begin', id, slot: slot ?? 0, at: clock.now(), limitMs, mode, directory } as const;
    const fault = log.reserve(ROOM_BYTES + RUN_ROOM_BYTES * (runs.size + 1) + directory.length * 4);
    if (slot === undefined || fault !== undefined) return refuse(id, fault ?? 'ENOSPC');
    const unlogged = log.append(begin);
    if (unlogged !== undefined) return refuse(id, unlogged);
    history.add(begin);
    const spawned = spawnLeader(order);
    if (!('child' in spawned)) return fail(id, spawned);
    spawned.onFault((one) => fail(id, one));
    const { child } = spawned;
    if (child.pid === undefined) return;
    follow(order, slot, child.pid);
    child.once('exit', (code, signal) => end(id, code, signal));
  }

  function shorten(): void {
    log.replace(history.list());
    // Twice what was needed: with many kept runs it must not be replaced at each start.
    logLimit = Math.max(LOG_BYTES_LIMIT, 2 * log.size());
  }

  /** It was not begun. However often that is said, it takes no room of the ends of others. */
  function refuse(id: number, error: string): void {
    slots.free(id);
    const line = { word: 'fail', id, step: 'log', error } as const;
    if (log.reserve(KEPT_BYTES + RUN_ROOM_BYTES * runs.size) === undefined) write(line);
    else report(line);
  }

  function fail(id: number, { step, error }: SpawnFault): void {
    slots.free(id);
    write({ word: 'fail', id, step, error });
    leaveIfDone();
  }

  function follow(order: StartFrame, slot: number, pid: number): void {
    const { id, leaseMs, limitMs } = order;
    // A process that has ended already is a zombie that this one has not heard of: its start time is still there.
    const start = tryReadStart(pid) ?? `${tryReadProcStat(pid)?.startTicks ?? 'gone'}@${readBootId().slice(0, 8)}`;
    const countdown = createCountdown(leaseMs, limitMs);
    const startedAt = clock.now();
    runs.set(id, { id, slot, order, countdown, pid, startedAt, held: NOTHING_HELD, isEnding: false });
    write({ word: 'start', id, handle: { pid, start } });
    schedule();
  }

  function end(id: number, code: number | null, signal: NodeJS.Signals | null): void {
    const run = runs.get(id);
    if (run === undefined) return;
    const { pid, startedAt } = run;
    // Nothing of its group goes on after it; in another session only the node can tell what belongs to it.
    signalProcess(-pid, 'SIGKILL');
    if (isOrphan) killAll(pid);
    const number = signal === null ? 0 : constants.signals[signal];
    const before = childTicks;
    childTicks = readChildTicks();
    const cpuMs = ((childTicks - before) * 1000) / TICKS_PER_S;
    const ranMs = clock.now() - startedAt;
    runs.delete(id);
    slots.free(id);
    write({ word: 'end', id, end: { code: code ?? 128 + number, signal: number, cpuMs, ranMs } });
    leaveIfDone();
  }

  function extend({ id, leftMs, doubt: answered }: LeaseFrame): void {
    look();
    const run = runs.get(id);
    if (run === undefined || answered !== doubt) return;
    run.countdown.grant(leftMs);
    act(run);
    schedule();
  }

  /** Counts the time since the last look, and does what is due. */
  function look(): void {
    const now = clock.now();
    // Also when nothing runs: what was slept then must not count for a run that is started later.
    const slept = clock.takeSleptMs();
    if (slept > 0 && runs.size > 0) {
      doubt += 1;
      write({ word: 'doubt', number: doubt });
    }
    for (const run of runs.values()) run.countdown.pass(now - last, slept);
    last = now;
    for (const run of runs.values()) {
      if (isOrphan) readLease(run);
      act(run);
    }
    schedule();
  }

  function readLease({ id, slot, countdown }: SupervisedRun): void {
    const lease = slots.read(id, slot);
    if (lease !== undefined && lease.doubt === doubt) countdown.grant(lease.leftMs);
  }

  function act(run: SupervisedRun): void {
    if (run.isEnding) return;
    const verdict = run.countdown.judge(run.held.size > 0);
    const { id, pid, order } = run;
    if (verdict === 'hold') run.held = holdAll(pid, order.mode, run.held);
    if (verdict === 'release' && !existsSync(join(order.directory, 'image'))) {
      for (const one of run.held) signalProcess(one, 'SIGCONT');
      run.held = NOTHING_HELD;
    }
    if (verdict !== 'lease ended' && verdict !== 'wall-clock limit') return;
    run.isEnding = true;
    const reason = `watchdog: ${verdict}`;
    write({ word: 'stop', id, reason });
    note(join(order.directory, 'stderr'), `tritmesh: ${reason}\n`);
    killAll(pid);
  }

  function schedule(): void {
    clearTimeout(timer);
    timer = undefined;
    const live = [...runs.values()].filter(({ isEnding }) => !isEnding);
    if (live.length === 0) return;
    const due = Math.min(...live.map(({ countdown }) => countdown.dueMs()));
    const isNear = due < NEAR_MS || live.some(({ held }) => held.size > 0);
    timer = setTimeout(look, Math.max(1, Math.min(due + 1, isNear ? NEAR_LOOK_MS : LOOK_MS)));
  }

  function leaveIfDone(): void {
    if (isOrphan && runs.size === 0) leave();
  }

  return {
    handle: (frame) => (frame.type === 'start' ? start(frame) : extend(frame)),
    orphan: () => {
      if (isOrphan) return;
      isOrphan = true;
      write({ word: 'orphan' });
      look();
      // A start that failed reports it later.
      setImmediate(leaveIfDone);
    },
  };
}

const NOTHING_HELD: ReadonlySet<number> = new Set();

/** Ticks of processor time of all children that were waited for, with theirs. */
function readChildTicks(): number {
  return tryReadProcStat(process.pid)?.childTicks ?? 0;
}

/** Appends a sentence for people. The job may have put anything in place of the file: a pipe must not block. */
function note(path: string, text: string): void {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = fileConstants;
  try {
    const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o666);
    try {
      writeSync(fd, text);
    } finally {
      closeSync(fd);
    }
  } catch {
    // A full disk must not keep the run from being ended.
  }
}
