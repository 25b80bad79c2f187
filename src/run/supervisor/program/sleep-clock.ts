/**
 * How the supervisor's program measures time: by the monotonic clock, which stands still while the machine sleeps, and
 * by how much the clock since boot gains on it then. Node.js cannot read that clock where LXCFS does not alter it,
 * except by the start time of a process, so it is looked at only when the wall clock has gained as much.
 */
import { spawn } from 'node:child_process';
import { TICKS_PER_S, tryReadProcStat } from '../../../os/proc-stat.js';

/** A clock that knows of the machine's sleep. */
export interface SleepClock {
  /** Milliseconds of the monotonic clock. */
  now(): number;
  /** Milliseconds that the machine has slept since the last call, 0 for less than a second. */
  takeSleptMs(): number;
}

/** What the clock is read from, in milliseconds. */
export interface SleepClockSources {
  monotonicMs(): number;
  wallMs(): number;
  /** The clock that counts sleep; `undefined` when it cannot be read. */
  bootMs(): number | undefined;
}

/** Shorter gains add up until they count. */
const GAIN_MS = 1000;

/** Creates the clock. Sleep counts from here on. */
export function createSleepClock({ monotonicMs, wallMs, bootMs }: SleepClockSources): SleepClock {
  const measureBoot = (): number | undefined => {
    const boot = bootMs();
    return boot === undefined ? undefined : boot - monotonicMs();
  };
  let wallLead = wallMs() - monotonicMs();
  let bootLead = measureBoot();
  return {
    now: monotonicMs,
    takeSleptMs: () => {
      const wall = wallMs() - monotonicMs();
      if (Math.abs(wall - wallLead) <= GAIN_MS) return 0;
      wallLead = wall;
      const boot = measureBoot();
      const gained = boot === undefined || bootLead === undefined ? 0 : boot - bootLead;
      if (gained > GAIN_MS) bootLead = boot;
      return gained > GAIN_MS ? gained : 0;
    },
  };
}

/** The machine's own clocks. */
export const MACHINE_CLOCKS: SleepClockSources = {
  monotonicMs: () => Number(process.hrtime.bigint() / 1000n) / 1000,
  wallMs: () => Date.now(),
  bootMs: () => {
    // The kernel keeps what a process was until Node.js has heard of its end, which is after this function.
    const { pid } = spawn('/bin/sh', ['-c', ':'], { stdio: 'ignore' }).on('error', () => undefined);
    const stat = pid === undefined ? undefined : tryReadProcStat(pid);
    return stat === undefined ? undefined : (Number(stat.startTicks) * 1000) / TICKS_PER_S;
  },
};
