/**
 * The clock by which an owner gives up: it counts only what the owner could have heard. It is paused while the bus is away and
 * while the machine sleeps, and never set back; and for a while after a return nothing is given up, since others return
 * later, and then first say what they owe.
 */

/** Bus time as it was read last. All in ms; `asOf` and `returnedAt` are monotonic. */
export interface BusTime {
  /** What has been counted in this run of the node. */
  readonly ms: number;
  readonly asOf: number;
  readonly isOnline: boolean;
  /** Since when the bus is there again, or the machine is awake again. */
  readonly returnedAt: number;
}

/** The most that one reading adds: whoever reads it does so every second, and a longer gap was no time of ours. */
const TICK_MS_MAX = 2000;
/** A gap so long was a sleep: what happens next is a return, though the connection may not know of it yet. */
const SLEPT_MS = 10_000;

/** Bus time of a node that has not connected yet. */
export function startBusTime(now: number): BusTime {
  return { ms: 0, asOf: now, isOnline: false, returnedAt: now };
}

/** Reads the clock. */
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

/** The bus went away, or is there again. */
export function changeBusTime(time: BusTime, isOnline: boolean, now: number): BusTime {
  const read = advanceBusTime(time, now);
  if (read.isOnline === isOnline) return read;
  return { ...read, isOnline, returnedAt: isOnline ? now : read.returnedAt };
}

/** What owners' steps need of it. */
export interface BusRules {
  /** Without it the bus counts as always there. */
  readonly bus?: BusTime | undefined;
  /** How long after a return nothing is given up, ms. */
  readonly returnedMs?: number | undefined;
}

/** This moment in bus time. */
export function busNow({ bus }: BusRules, at: { readonly ms: number }): number {
  return bus?.ms ?? at.ms;
}

/** When what is due at `deadline` of bus time may be given up, monotonic ms; never while the bus is away. */
export function giveUpTime(deadline: number, { bus, returnedMs = 0 }: BusRules): number {
  if (bus === undefined) return deadline;
  if (!bus.isOnline) return Number.POSITIVE_INFINITY;
  return Math.max(bus.asOf + deadline - bus.ms, bus.returnedAt + returnedMs);
}
