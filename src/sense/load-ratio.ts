/**
 * The ratios that are made from the machine's own load: the seed's 1-minute average, and the same quantity averaged
 * over 20 s, which shows a step to 0.8 after 32 s instead of 97.
 */
import { defer, of } from 'rxjs';
import type { MachineSample, RatioOf } from './machine.js';

/** Time constant of the `ewma` metric, in milliseconds. */
export const EWMA_TAU_MS = 20_000;
/** Time constant of the kernel's 1-minute average, in milliseconds. */
const KERNEL_TAU_MS = 60_000;

/** `loadavg1`: the 1-minute load average per cpu. */
export function createLoadAverageRatio(): RatioOf {
  return (look) =>
    defer(() => {
      if (look.loadAverage1 === undefined) throw new Error('this system has no load average; use ewma');
      return of({ ratio: look.loadAverage1 / look.cpus, cpus: look.cpus });
    });
}

/** `ewma`: active tasks per cpu, averaged over 20 s; it begins at the kernel's own average of the last minute. */
export function createEwmaRatio(): RatioOf {
  let before: { readonly look: MachineSample; readonly average: number } | undefined;
  return (look) =>
    defer(() => {
      const average = before === undefined ? beginAverage(look) : moveAverage(before.average, before.look, look);
      before = { look, average };
      return of({ ratio: average / look.cpus, cpus: look.cpus });
    });
}

function beginAverage(look: MachineSample): number {
  return look.loadAverage1 ?? shareOfCpus(look);
}

function moveAverage(average: number, before: MachineSample, look: MachineSample): number {
  const kept = Math.exp(-(look.now - before.now) / EWMA_TAU_MS);
  return Math.max(0, average * kept + countActive(before, look) * (1 - kept));
}

/**
 * Active tasks since the look before. Where the kernel only tells its own average, the tasks that moved it are found by
 * turning its formula round; single values jump, since the kernel moves it every 5 s, and their mean is right.
 */
function countActive(before: MachineSample, look: MachineSample): number {
  if (look.activeTasks !== undefined) return look.activeTasks;
  if (look.loadAverage1 === undefined || before.loadAverage1 === undefined) return shareOfCpus(look);
  const kept = Math.exp(-(look.now - before.now) / KERNEL_TAU_MS);
  return kept === 1 ? look.loadAverage1 : (look.loadAverage1 - before.loadAverage1 * kept) / (1 - kept);
}

/** How many cpus were busy: what is left where the system has no load average. */
function shareOfCpus(look: MachineSample): number {
  return ((look.cpuPercent ?? 0) / 100) * look.cpus;
}
