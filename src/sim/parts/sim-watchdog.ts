/**
 * The watchdog of a simulated process: the countdown of src/run/watchdog/watchdog-time.ts, step by step as the shell
 * does it, on a boot clock that may lie. It does not depend on the node being there.
 */

/** Dependencies of a watchdog. Times in ms. */
export interface SimWatchdogDeps {
  /** The time until the first deadline. */
  readonly leaseMs: number;
  /** Runs `act` after a delay, on this machine. */
  after(delayMs: number, act: () => void): void;
  /** How late a sleep ends, as a part of {@link JITTER_MS}, 0 to 1. */
  jitter(): number;
  readBoot(): number;
  isOver(): boolean;
  isHeld(): boolean;
  hold(): void;
  release(): void;
  end(): void;
  /** It cannot tell how much time passed, and asks its node for a new deadline. */
  reportDoubt(): void;
}

/** A running watchdog. */
export interface SimWatchdog {
  /** Number of the current doubt, which a deadline must answer. */
  readonly doubt: number;
  /** The node writes a deadline: `leftMs` are left, in answer to `doubt`. */
  extend(leftMs: number, doubt: number): void;
}

/** Longest time between two checks, ms. */
export const WATCHDOG_STEP_MS = 2000;
const JITTER_MS = 50;
/**
 * Up to the first, its sleep was on time; up to the second, it was only late, ms. Beyond that the watchdog is in doubt.
 */
const ON_TIME_MS = 1000;
const LATE_MS = 3000;

/** Starts the watchdog of a process. */
export function startWatchdog(deps: SimWatchdogDeps): SimWatchdog {
  let doubt = 0;
  let sure = deps.leaseMs;
  let left = sure;
  let expected: number | undefined;
  let written: { readonly leftMs: number; readonly doubt: number } | undefined;

  function check(): void {
    if (deps.isOver()) return;
    readDeadline();
    if (sure <= 0) return deps.end();
    const nap = Math.min(WATCHDOG_STEP_MS, sure, left > 0 ? left : sure);
    countLate();
    if (left <= 0) deps.hold();
    else if (deps.isHeld()) deps.release();
    deps.after(nap + deps.jitter() * JITTER_MS, () => {
      sure -= nap;
      left -= nap;
      if (expected !== undefined) expected += nap;
      check();
    });
  }

  function readDeadline(): void {
    if (written?.doubt !== doubt) return;
    sure = written.leftMs;
    left = written.leftMs;
    written = undefined;
  }

  function countLate(): void {
    const reading = deps.readBoot();
    expected ??= reading;
    const late = reading - expected;
    if (Math.abs(late) <= ON_TIME_MS) return;
    expected = reading;
    if (late <= 0) return;
    left -= late;
    if (late <= LATE_MS) {
      sure -= late;
      return;
    }
    doubt += 1;
    deps.reportDoubt();
  }

  check();
  return {
    get doubt() {
      return doubt;
    },
    extend: (leftMs, answered) => {
      written = { leftMs, doubt: answered };
    },
  };
}
