/**
 * Bus time, the clock by which an owner gives up: it counts only time in which the owner could have heard something. It
 * pauses while the bus is away and while the machine sleeps, and never goes back. For a while after a return nothing is
 * given up, because other nodes reconnect later and then report what they owe.
 */

/** Bus time at its last reading. All in ms; `asOf` and `returnedAt` are monotonic. */
export interface BusTime {
  /** Counted since this boot. */
  readonly ms: number;
  readonly asOf: number;
  readonly isOnline: boolean;
  /** When the bus came back, or the machine woke up. */
  readonly returnedAt: number;
}

/** The most that one reading adds: it is read every second, and during a longer gap this process did not run. */
const TICK_MS_MAX = 2000;
/** A gap this long means that the machine slept. It counts as a return, even if the connection has not noticed yet. */
const SLEPT_MS = 10_000;

/** Bus time of a node that has not connected yet. */
export function startBusTime(now: number): BusTime {
  return { ms: 0, asOf: now, isOnline: false, returnedAt: now };
}

/** Reads the clock at `now`, monotonic ms. */
export function advanceBusTime(time: BusTime, now: number): BusTime {
  const gap = Math.max(0, now - time.asOf);
  if (gap === 0) return time;
  return {
    ...time,
    asOf: now,
    ms: time.ms + (time.isOnline ? Math.min(gap, TICK_MS_MAX) : 0),
    returnedAt: gap >= SLEPT_MS ? now : time.returnedAt,
  };
}

/** Records that the bus went away or came back. */
export function changeBusTime(time: BusTime, isOnline: boolean, now: number): BusTime {
  const read = advanceBusTime(time, now);
  if (read.isOnline === isOnline) return read;
  return { ...read, isOnline, returnedAt: isOnline ? now : read.returnedAt };
}

/** What the owner's step needs to know about the bus. */
export interface BusRules {
  /** If missing, the bus counts as always connected. */
  readonly bus?: BusTime | undefined;
  /** Grace period after a return in which nothing is given up, ms. */
  readonly returnedMs?: number | undefined;
}

/** The present bus time; `at.ms` if there is no bus clock. */
export function busNow({ bus }: BusRules, at: { readonly ms: number }): number {
  return bus?.ms ?? at.ms;
}

/** When a deadline in bus time has passed for good, monotonic ms; infinite while the bus is away. */
export function giveUpTime(deadline: number, { bus, returnedMs = 0 }: BusRules): number {
  if (bus === undefined) return deadline;
  if (!bus.isOnline) return Number.POSITIVE_INFINITY;
  return Math.max(bus.asOf + deadline - bus.ms, bus.returnedAt + returnedMs);
}
