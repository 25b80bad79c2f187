/**
 * Throttles by stopping and continuing, ten times a second, with the part of the time that gives the wanted share of
 * processor time. Its driver is this process: when it is killed its targets may stay stopped, and only
 * {@link Method.undo} or {@link Method.set} by its next life continues them.
 */
import { spawnSync } from 'node:child_process';
import type { Subscription } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import type { ThrottledProcess, SavedThrottle } from '../core/processes/saved-throttle.js';
import { describeError, errorCode } from '../os/errors.js';
import { keepBefore, type LiveTarget, type Method } from './method.js';
import { isSame, readThrottleEntry } from './process-entry.js';
import type { ThrottleOutcome, PreparedThrottle } from './throttle.js';

const PERIOD_MS = 100;
/** Shortest time that a target runs at a stretch: timers are not finer. */
const RUN_MS_MIN = 2;
/** Longest time that a target rests at a stretch. */
const REST_MS_MAX = 2000;
/** What was used is compared with what was wanted so often; the kernel counts in steps of 10 ms. */
const LOOK_MS = 1000;
/** How far one look may change the part: a program that waits for something must not be given all at once. */
const LESS_MAX = 4;
const MORE_MAX = 2;

/** Makes the method. */
export function createDutyCycle(clock: Pick<Clock, 'now' | 'scheduler'>): Method {
  const drivers = new Map<string, () => void>();

  function set(record: SavedThrottle): ThrottleOutcome {
    drivers.get(record.target)?.();
    drivers.set(record.target, drive(record, clock));
    return { ok: true };
  }

  function undo(record: SavedThrottle): ThrottleOutcome {
    drivers.get(record.target)?.();
    drivers.delete(record.target);
    return signalAll(record.processes, 'SIGCONT');
  }

  return {
    method: 'duty-cycle',
    probe,
    prepare,
    set,
    undo,
    close: () => {
      for (const end of drivers.values()) end();
      drivers.clear();
    },
  };
}

function probe(): string | undefined {
  const script = 'sleep 9 & kill -STOP $! && kill -CONT $! && kill -KILL $!';
  const { status } = spawnSync('sh', ['-c', script], { stdio: 'ignore' });
  return status === 0 ? undefined : 'a process cannot be stopped and continued';
}

/** What somebody else stopped is left alone: it would be continued. */
function prepare(target: LiveTarget, sharePercent: number, known: SavedThrottle | null): PreparedThrottle {
  const old = new Set(known?.processes.map(({ pid }) => pid));
  const running = target.processes.filter(({ pid }) => old.has(pid) || readThrottleEntry(pid)?.stopped === false);
  if (running.length === 0) return { ok: false, reason: 'it is stopped already' };
  const processes = keepBefore({ ...target, processes: running }, known, () => '');
  return {
    ok: true,
    record: { target: target.target, method: 'duty-cycle', sharePercent, place: '', limit: '', processes },
  };
}

/** Drives one target until the returned function is called, which leaves it running. */
function drive({ processes, sharePercent }: SavedThrottle, clock: Pick<Clock, 'now' | 'scheduler'>): () => void {
  let beat = beatOf(sharePercent / 100);
  let timer: Subscription | undefined;
  let before = { at: clock.now(), cpuS: sumCpu(processes) };

  function run(): void {
    if (clock.now() - before.at >= LOOK_MS) adjust();
    signalAll(processes, 'SIGCONT');
    timer = clock.scheduler.schedule(rest, beat.runMs);
  }

  function rest(): void {
    if (beat.restMs > 0) signalAll(processes, 'SIGSTOP');
    timer = clock.scheduler.schedule(run, beat.restMs);
  }

  function adjust(): void {
    const now = { at: clock.now(), cpuS: sumCpu(processes) };
    if (now.cpuS === undefined) return;
    const used = (now.cpuS - (before.cpuS ?? now.cpuS)) / ((now.at - before.at) / 1000);
    before = now;
    const factor = used > 0 ? sharePercent / 100 / used : MORE_MAX;
    const duty = beat.runMs / (beat.runMs + beat.restMs);
    beat = beatOf(duty * Math.min(MORE_MAX, Math.max(1 / LESS_MAX, factor)));
  }

  run();
  return () => {
    timer?.unsubscribe();
    signalAll(processes, 'SIGCONT');
  };
}

/**
 * How long to run and to rest for a part of the time. Where that leaves less than a timer can do, and on a busy machine
 * timers are late, the rest is made longer instead.
 */
function beatOf(duty: number): { readonly runMs: number; readonly restMs: number } {
  const part = Math.min(1, Math.max(RUN_MS_MIN / REST_MS_MAX, duty));
  const runMs = Math.max(RUN_MS_MIN, part * PERIOD_MS);
  return { runMs, restMs: Math.min(REST_MS_MAX, runMs / part - runMs) };
}

/** Processor time of those that still live; `undefined` where it is too dear to ask. */
function sumCpu(processes: readonly ThrottledProcess[]): number | undefined {
  let sum = 0;
  for (const process of processes) {
    const entry = readThrottleEntry(process.pid);
    if (entry?.start !== process.start) continue;
    if (entry.cpuS === undefined) return undefined;
    sum += entry.cpuS;
  }
  return sum;
}

function signalAll(processes: readonly ThrottledProcess[], signal: 'SIGSTOP' | 'SIGCONT'): ThrottleOutcome {
  let reason: string | undefined;
  for (const one of processes) {
    if (!isSame(one)) continue;
    try {
      process.kill(one.pid, signal);
    } catch (error) {
      // ESRCH: it ended in between.
      if (errorCode(error) !== 'ESRCH') reason = describeError(error);
    }
  }
  return reason === undefined ? { ok: true } : { ok: false, reason: `process could not be signalled: ${reason}` };
}
