/**
 * The deadlines of one run as they count down: see docs/internals/supervisor.md. It is pure; nothing but time that has
 * certainly passed ends a run, while sleep of the machine only stops it until its owner has been asked.
 */

/** Why a run is to end, or that it is to be stopped or continued. */
export type CountdownVerdict = 'lease ended' | 'wall-clock limit' | 'hold' | 'release' | undefined;

/** The counters of one run, in milliseconds. */
export interface Countdown {
  /** Counts time that has passed, and sleep of the machine. */
  pass(ms: number, sleptMs: number): void;
  /** A lease that counts: `leftMs` from now. It never shortens. */
  grant(leftMs: number): void;
  /** What to do now; `isHeld`: the run is stopped. */
  judge(isHeld: boolean): CountdownVerdict;
  /** Milliseconds until the next verdict may differ. */
  dueMs(): number;
}

/** Creates the counters of a run. */
export function createCountdown(leaseMs: number, limitMs: number): Countdown {
  let sure = leaseMs;
  let left = leaseMs;
  let limit = limitMs;
  return {
    pass: (ms, sleptMs) => {
      sure -= ms;
      left -= ms + sleptMs;
      limit -= ms;
    },
    grant: (leftMs) => {
      sure = Math.max(sure, leftMs);
      left = Math.max(left, leftMs);
    },
    judge: (isHeld) => {
      if (limit <= 0) return 'wall-clock limit';
      if (sure <= 0) return 'lease ended';
      if (left <= 0) return 'hold';
      return isHeld ? 'release' : undefined;
    },
    dueMs: () => Math.max(0, Math.min(limit, sure, left > 0 ? left : Infinity)),
  };
}
