/**
 * What each way to throttle gives: a try whether it works here, and the three calls of the port for processes that
 * surely live. It never decides what is throttled.
 */
import type { ThrottledProcess, ThrottleMethod, SavedThrottle } from '../core/processes/saved-throttle.js';
import { describeError } from '../os/errors.js';
import type { ThrottleOutcome, PreparedThrottle } from './throttle.js';

/** A target whose processes were looked up: they live, and are the ones that were meant. */
export interface LiveTarget {
  readonly target: string;
  readonly processes: readonly Omit<ThrottledProcess, 'before'>[];
  /** Processes that share a session with them and may be slowed, but must never be stopped: launchers and guardians. */
  readonly bystanders: readonly number[];
}

/** One way to throttle. */
export interface Method {
  readonly method: ThrottleMethod;
  /** Tries it on a process of its own; gives the reason why it does not work here, `undefined` when it does. */
  probe(): string | undefined;
  prepare(target: LiveTarget, sharePercent: number, known: SavedThrottle | null): PreparedThrottle;
  set(record: SavedThrottle): ThrottleOutcome;
  undo(record: SavedThrottle): ThrottleOutcome;
  close(): void;
}

/**
 * What was there before each process, out of an earlier record where it has it. One that was forked within the throttle
 * belongs where the first one was.
 */
export function keepBefore(
  target: LiveTarget,
  known: SavedThrottle | null,
  read: (pid: number) => string,
): readonly ThrottledProcess[] {
  const old = new Map(known?.processes.map((process) => [process.pid, process]));
  return target.processes.map(({ pid, start }) => {
    const kept = old.get(pid);
    if (kept?.start === start) return kept;
    const before = read(pid);
    const isWithin = known !== null && known.limit === '' && before === known.place;
    return { pid, start, before: isWithin ? (known.processes[0]?.before ?? before) : before };
  });
}

/** Does what touches the system; an error becomes the reason. */
export function attempt(what: string, work: () => void): ThrottleOutcome {
  try {
    work();
    return { ok: true };
  } catch (error) {
    return { ok: false, reason: `${what}: ${describeError(error)}` };
  }
}
