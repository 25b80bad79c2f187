/**
 * Throttles by stopping and continuing processes about ten times a second, running them for the part of the time that
 * yields the wanted share of processor time. The timers are in this process: if it is killed, its targets may stay
 * stopped until {@link Method.undo} or {@link Method.set} continues them at the next boot of the node.
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
/** Shortest time that a target runs in one cycle, ms: timers are not more precise. */
const RUN_MS_MIN = 2;
/** Longest time that a target is stopped in one cycle, ms. */
const REST_MS_MAX = 2000;
/** Interval at which used and wanted processor time are compared, ms; the kernel counts in steps of 10 ms. */
const LOOK_MS = 1000;
/**
 * Largest factors by which one comparison lowers and raises the running part: a program that is waiting for something
 * must not be given all of the time at once.
 */
const LESS_MAX = 4;
const MORE_MAX = 2;

/** Creates the method. {@link Method.close} ends its timers and leaves all targets running. */
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

/** A process stopped by somebody else is left alone, since throttling would continue it. */
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

/** Stops and continues one target until the returned function is called, which leaves it running. */
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
 * How long to run and to stop, ms, for a running part of 0..1. A part too small for one run of {@link RUN_MS_MIN} per
 * period makes the stop longer instead.
 */
function beatOf(duty: number): { readonly runMs: number; readonly restMs: number } {
  const part = Math.min(1, Math.max(RUN_MS_MIN / REST_MS_MAX, duty));
  const runMs = Math.max(RUN_MS_MIN, part * PERIOD_MS);
  return { runMs, restMs: Math.min(REST_MS_MAX, runMs / part - runMs) };
}

/** Processor time of the processes that still live, in seconds; `undefined` where reading it is too expensive. */
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
      // ESRCH: the process has ended in the meantime.
      if (errorCode(error) !== 'ESRCH') reason = describeError(error);
    }
  }
  return reason === undefined ? { ok: true } : { ok: false, reason: `process could not be signalled: ${reason}` };
}
