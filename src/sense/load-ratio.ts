/**
 * The ratios derived from the load of the machine itself: the 1-minute average that the seed uses, and the same
 * quantity averaged over 20 s, which shows a step to 0.8 after 32 s instead of 97.
 */
import { defer, of } from 'rxjs';
import type { MachineSample, RatioOf } from './machine.js';

/** Time constant of the `ewma` metric, ms. */
export const EWMA_TAU_MS = 20_000;
/** Time constant of the kernel's 1-minute average, ms. */
const KERNEL_TAU_MS = 60_000;

/** `loadavg1`: the 1-minute load average per CPU. Errors on systems without a load average. */
export function createLoadAverageRatio(): RatioOf {
  return (look) =>
    defer(() => {
      if (look.loadAverage1 === undefined) throw new Error('this system has no load average; use ewma');
      return of({ ratio: look.loadAverage1 / look.cpus, cpus: look.cpus });
    });
}

/** `ewma`: active tasks per CPU, averaged over 20 s. It starts at the kernel's 1-minute average. */
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
 * Active tasks since the previous sample. If the kernel only reports its average, its formula is inverted to find the
 * number of tasks that moved it. Single values jump, as the kernel updates it every 5 s, but their mean is right.
 */
function countActive(before: MachineSample, look: MachineSample): number {
  if (look.activeTasks !== undefined) return look.activeTasks;
  if (look.loadAverage1 === undefined || before.loadAverage1 === undefined) return shareOfCpus(look);
  const kept = Math.exp(-(look.now - before.now) / KERNEL_TAU_MS);
  return kept === 1 ? look.loadAverage1 : (look.loadAverage1 - before.loadAverage1 * kept) / (1 - kept);
}

/** Number of busy CPUs: the substitute on systems without a load average. */
function shareOfCpus(look: MachineSample): number {
  return ((look.cpuPercent ?? 0) / 100) * look.cpus;
}
