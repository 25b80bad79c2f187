/**
 * Makes one clock of three that may fail. The monotonic clock is the base; sleep, which it does not count, is added only when the boot
 * clock and the wall clock jumped alike: LXCFS moves the first alone, NTP the second alone. A source that fails decides nothing.
 */
import { ReplaySubject, type SchedulerLike } from 'rxjs';
import type { Clock } from './clock.js';

/** What the clock reads. */
export interface ClockReadings {
  /** Milliseconds of a clock that never goes back and may stand still while the machine sleeps. */
  readonly monotonicMs: () => number;
  /**
   * Milliseconds since boot, sleep included; may throw, jump, stand still or be no number. `undefined` where `monotonicMs` counts
   * sleep itself.
   */
  readonly bootMs: (() => number) | undefined;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
}

/** How often, at most, the boot clock is read (20 µs a time) while the wall clock goes as the monotonic one does. */
const LOOK_EVERY_MS = 500;
/** The wall clock moved by this much against the monotonic one: the boot clock is read at once. */
const MOVED_MS = 250;
/** Sleep shorter than this is not counted alone, only with others. */
const SLEEP_MIN_MS = 1000;
/** /proc/uptime is cut to 10 ms, and reading it takes a moment. */
const GRAIN_MS = 25;
/** Two jumps are alike within this time and this part of them: NTP may correct the wall clock while the machine wakes. */
const ALIKE_MS = 500;
const ALIKE_PART = 0.01;
/** Readings that took longer than this were interrupted, and cannot be compared. */
const READ_MS_MAX = 50;
const FAULTS_MAX = 10;

/** How far the boot clock and the wall clock are ahead of the monotonic one. */
interface Lead {
  readonly boot: number;
  readonly wall: number;
}

/** Creates the clock; it counts sleep from its creation on. */
export function createSteadyClock(readings: ClockReadings, scheduler: SchedulerLike): Clock {
  const faults$ = new ReplaySubject<string>(FAULTS_MAX);
  const named = new Set<string>();
  const name = (kind: string, sentence: string): void => {
    if (named.has(kind)) return;
    named.add(kind);
    faults$.next(sentence);
  };
  let base: Lead | undefined;
  let sleptMs = 0;
  let last = 0;
  let lookAtMs = Number.NEGATIVE_INFINITY;
  let seenWall = 0;

  function look(bootMs: () => number): void {
    const lead = measure(readings, bootMs, name);
    if (lead === undefined) return;
    const before = base ?? lead;
    const boot = lead.boot - before.boot;
    const wall = lead.wall - before.wall;
    const isAlike = Math.abs(boot - wall) <= ALIKE_MS + ALIKE_PART * boot;
    // Short sleeps add up until they count.
    if (boot > GRAIN_MS && boot < SLEEP_MIN_MS && isAlike) return;
    base = lead;
    if (boot >= SLEEP_MIN_MS && isAlike) sleptMs += boot;
    else if (Math.abs(boot) >= SLEEP_MIN_MS) name('jump', describeJump(boot, wall));
  }

  function now(): number {
    const ms = readings.monotonicMs();
    const wallLead = readings.wallMs() - ms;
    if (readings.bootMs !== undefined && (ms >= lookAtMs || Math.abs(wallLead - seenWall) > MOVED_MS)) {
      lookAtMs = ms + LOOK_EVERY_MS;
      seenWall = wallLead;
      look(readings.bootMs);
    }
    // Whatever a reading was: time is a number, and never goes back.
    if (ms + sleptMs > last) last = ms + sleptMs;
    return last;
  }

  // Sleep counts from here on.
  now();
  return {
    now,
    wall: readings.wallMs,
    scheduler,
    faults$: faults$.asObservable(),
  };
}

/** Reads all three at one moment; `undefined` when that failed or was interrupted. */
function measure(
  { monotonicMs, wallMs }: ClockReadings,
  bootMs: () => number,
  name: (kind: string, sentence: string) => void,
): Lead | undefined {
  const from = monotonicMs();
  const wall = wallMs();
  const boot = attempt(bootMs);
  const wallMoved = wallMs() - wall;
  const took = monotonicMs() - from;
  if (typeof boot === 'string') {
    name('boot', `the clock since boot ${boot}: it is ignored, and sleep of this machine is not seen meanwhile`);
    return undefined;
  }
  const lead = { boot: boot - from, wall: wall - from };
  const isWhole = took >= 0 && took <= READ_MS_MAX && Math.abs(wallMoved) <= READ_MS_MAX;
  return isWhole && Number.isFinite(lead.boot + lead.wall) ? lead : undefined;
}

/** The reading, or what is wrong with it. */
function attempt(bootMs: () => number): number | string {
  try {
    const boot = bootMs();
    return Number.isFinite(boot) && boot >= 0 ? boot : 'gives no number';
  } catch (error) {
    return `cannot be read (${error instanceof Error ? error.message : String(error)})`;
  }
}

function describeJump(boot: number, wall: number): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  return `the clock since boot jumped by ${seconds(boot)} and the wall clock by ${seconds(wall)}: no sleep is counted`;
}
