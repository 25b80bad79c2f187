/**
 * The interface of a throttle method: a probe whether it works on this machine, and the three calls of the port, for
 * processes that were alive when looked up. A method never decides what is throttled.
 */
import type { ThrottledProcess, ThrottleMethod, SavedThrottle } from '../core/processes/saved-throttle.js';
import { describeError } from '../os/errors.js';
import type { ThrottleOutcome, PreparedThrottle } from './throttle.js';

/** A target whose processes were looked up: they are alive and have the expected start times. */
export interface LiveTarget {
  readonly target: string;
  readonly processes: readonly Omit<ThrottledProcess, 'before'>[];
  /** Launchers and watchdogs: they may share its session and be slowed down with it, but must never be stopped. */
  readonly bystanders: readonly number[];
}

/** A throttle method. `prepare`, `set` and `undo` are those of the throttle port. */
export interface Method {
  readonly method: ThrottleMethod;
  /**
   * Tries the method on a process started for this purpose. Returns the reason if it does not work here; never throws,
   * because the node probes while it starts.
   */
  probe(): string | undefined;
  prepare(target: LiveTarget, sharePercent: number, known: SavedThrottle | null): PreparedThrottle;
  set(record: SavedThrottle): ThrottleOutcome;
  undo(record: SavedThrottle): ThrottleOutcome;
  close(): void;
}

/**
 * Returns the processes of a target with their previous settings: from an earlier record if it has them, otherwise
 * from `read`. A process forked inside the throttle gets the previous setting of the first process in the record.
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

/** Performs an action on the system; an error it throws becomes the reason, after `what`. */
export function attempt(what: string, work: () => void): ThrottleOutcome {
  try {
    work();
    return { ok: true };
  } catch (error) {
    return { ok: false, reason: `${what}: ${describeError(error)}` };
  }
}
