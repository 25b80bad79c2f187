/**
 * The guardian of a simulated process: the countdown of src/run/guard-text.ts, step by step as the shell does it, on a boot clock that
 * may lie. It looks whatever became of the node.
 */

/** What a guardian is made of. Times in ms. */
export interface SimGuardianParts {
  /** What it was given with the order. */
  readonly leaseMs: number;
  /** Does something a while later, on this machine. */
  after(delayMs: number, act: () => void): void;
  /** Up to 1: how late it is. */
  jitter(): number;
  readBoot(): number;
  isOver(): boolean;
  isHeld(): boolean;
  hold(): void;
  release(): void;
  end(): void;
  /** It does not know how much time passed: its node should say how much is left. */
  ask(): void;
}

/** A guardian. */
export interface SimGuardian {
  /** What a deadline must answer. */
  readonly doubt: number;
  /** The node writes a deadline: so much is left, in answer to this doubt. */
  give(leftMs: number, doubt: number): void;
}

/** A guardian looks this often at the latest, ms. */
export const GUARDIAN_STEP_MS = 2000;
const JITTER_MS = 50;
/** Within this its sleep was on time, within the other only late. */
const ON_TIME_MS = 1000;
const LATE_MS = 3000;

/** Sets one to work. */
export function startGuardian(parts: SimGuardianParts): SimGuardian {
  let doubt = 0;
  let sure = parts.leaseMs;
  let left = sure;
  let expected: number | undefined;
  let written: { readonly leftMs: number; readonly doubt: number } | undefined;

  function look(): void {
    if (parts.isOver()) return;
    readDeadline();
    if (sure <= 0) return parts.end();
    const nap = Math.min(GUARDIAN_STEP_MS, sure, left > 0 ? left : sure);
    countLate();
    if (left <= 0) parts.hold();
    else if (parts.isHeld()) parts.release();
    parts.after(nap + parts.jitter() * JITTER_MS, () => {
      sure -= nap;
      left -= nap;
      if (expected !== undefined) expected += nap;
      look();
    });
  }

  function readDeadline(): void {
    if (written?.doubt !== doubt) return;
    sure = written.leftMs;
    left = written.leftMs;
    written = undefined;
  }

  function countLate(): void {
    const reading = parts.readBoot();
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
    parts.ask();
  }

  look();
  return {
    get doubt() {
      return doubt;
    },
    give: (leftMs, answered) => {
      written = { leftMs, doubt: answered };
    },
  };
}
