/**
 * Combines three clocks that may fail into one. The monotonic clock is the base. Sleep, which it does not count, is
 * added only when the boot clock and the wall clock jumped by the same time: LXCFS moves only the first, NTP only the
 * second. A source that fails has no influence.
 */
import { ReplaySubject, type SchedulerLike } from 'rxjs';
import type { Clock } from './clock.js';

/** The sources that the clock reads. */
export interface ClockReadings {
  /** Milliseconds of a clock that never goes back and may stop while the machine sleeps. */
  readonly monotonicMs: () => number;
  /**
   * Milliseconds since boot, including sleep; may throw, jump, stop or not be a number. `undefined` where `monotonicMs`
   * includes sleep.
   */
  readonly bootMs: (() => number) | undefined;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
}

/**
 * The boot clock is read at most this often (20 µs each time) while the wall clock keeps pace with the monotonic one.
 */
const SAMPLE_EVERY_MS = 500;
/** If the wall clock moved by this much against the monotonic one, the boot clock is read at once. */
const MOVED_MS = 250;
/** Shorter sleeps are not counted one by one, only once they add up to this. */
const SLEEP_MIN_MS = 1000;
/** Measurement error: /proc/uptime has a resolution of 10 ms, and reading it takes time. */
const GRAIN_MS = 25;
/**
 * Two jumps count as equal within this time plus this fraction: NTP may correct the wall clock as the machine wakes.
 */
const ALIKE_MS = 500;
const ALIKE_PART = 0.01;
/** Readings that took longer than this were interrupted and cannot be compared. */
const READ_MS_MAX = 50;
const FAULTS_MAX = 10;

/** How far the boot clock and the wall clock are ahead of the monotonic one, ms. */
interface Lead {
  readonly boot: number;
  readonly wall: number;
}

/** Creates the clock. It counts the sleep that happens after its creation. */
export function createSteadyClock(readings: ClockReadings, scheduler: SchedulerLike): Clock {
  const faults$ = new ReplaySubject<string>(FAULTS_MAX);
  const reported = new Set<string>();
  const reportOnce = (kind: string, sentence: string): void => {
    if (reported.has(kind)) return;
    reported.add(kind);
    faults$.next(sentence);
  };
  let base: Lead | undefined;
  let sleptMs = 0;
  let last = 0;
  let nextSampleAtMs = Number.NEGATIVE_INFINITY;
  let seenWall = 0;

  function sample(bootMs: () => number): void {
    const lead = measure(readings, bootMs, reportOnce);
    if (lead === undefined) return;
    const before = base ?? lead;
    const boot = lead.boot - before.boot;
    const wall = lead.wall - before.wall;
    const isAlike = Math.abs(boot - wall) <= ALIKE_MS + ALIKE_PART * boot;
    // Keep the base, which lets short sleeps add up until they count.
    if (boot > GRAIN_MS && boot < SLEEP_MIN_MS && isAlike) return;
    base = lead;
    if (boot >= SLEEP_MIN_MS && isAlike) sleptMs += boot;
    else if (Math.abs(boot) >= SLEEP_MIN_MS) reportOnce('jump', describeJump(boot, wall));
  }

  function now(): number {
    const ms = readings.monotonicMs();
    const wallLead = readings.wallMs() - ms;
    if (readings.bootMs !== undefined && (ms >= nextSampleAtMs || Math.abs(wallLead - seenWall) > MOVED_MS)) {
      nextSampleAtMs = ms + SAMPLE_EVERY_MS;
      seenWall = wallLead;
      sample(readings.bootMs);
    }
    // Whatever the readings are, time is a number and never goes back; a comparison with NaN is false.
    if (ms + sleptMs > last) last = ms + sleptMs;
    return last;
  }

  // The first sample is the base: sleep counts from here on.
  now();
  return {
    now,
    wall: readings.wallMs,
    scheduler,
    faults$: faults$.asObservable(),
  };
}

/** Reads all three clocks together; `undefined` when that failed or was interrupted. */
function measure(
  { monotonicMs, wallMs }: ClockReadings,
  bootMs: () => number,
  reportOnce: (kind: string, sentence: string) => void,
): Lead | undefined {
  const from = monotonicMs();
  const wall = wallMs();
  const boot = attempt(bootMs);
  const wallMoved = wallMs() - wall;
  const took = monotonicMs() - from;
  if (typeof boot === 'string') {
    reportOnce(
      'boot',
      `the clock since boot ${boot}: it is ignored, and sleep of this machine goes unnoticed until it works again`,
    );
    return undefined;
  }
  const lead = { boot: boot - from, wall: wall - from };
  const isWhole = took >= 0 && took <= READ_MS_MAX && Math.abs(wallMoved) <= READ_MS_MAX;
  return isWhole && Number.isFinite(lead.boot + lead.wall) ? lead : undefined;
}

/** The reading in ms, or what is wrong with it. */
function attempt(bootMs: () => number): number | string {
  try {
    const boot = bootMs();
    return Number.isFinite(boot) && boot >= 0 ? boot : 'returns no valid number';
  } catch (error) {
    return `cannot be read (${error instanceof Error ? error.message : String(error)})`;
  }
}

function describeJump(boot: number, wall: number): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  return `the clock since boot jumped by ${seconds(boot)} and the wall clock by ${seconds(wall)}: no sleep is counted`;
}
