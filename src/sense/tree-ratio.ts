/**
 * The `tree:PID` ratio: the CPU time used by a process and its descendants. It lets several nodes on one machine each
 * sense their own share of the load.
 */
import { defer, EMPTY, of, switchMap } from 'rxjs';
import type { SampleProcesses, RatioOf } from './machine.js';
import { scanProcesses, type KernelUnits, type ProcessCount } from './process-scan.js';
import type { Metric } from './metric.js';
import { countTreeTicks, selectTree } from './process-tree.js';

type TreeMetric = Extract<Metric, { readonly kind: 'tree' }>;

/**
 * CPUs used by the tree of `pid` since the previous sample, divided by the CPUs of the machine. Emits nothing for the
 * first sample; errors if the process no longer exists.
 */
export function createTreeRatio(procDir: string, units: KernelUnits, { pid, withoutRoot }: TreeMetric): RatioOf {
  let before: { readonly now: number; readonly tree: readonly ProcessCount[] } | undefined;
  return (look) =>
    defer(() => {
      const whole = selectTree(scanProcesses(procDir, units).values(), pid);
      if (whole.length === 0) throw new Error(reportGone(pid));
      // The root stays in the tree because its counters include the time of its ended children.
      const tree = whole.map((one) => (one.pid === pid && withoutRoot === true ? { ...one, ownTicks: 0 } : one));
      const last = before;
      before = { now: look.now, tree };
      if (last === undefined || look.now <= last.now) return EMPTY;
      const seconds = (look.now - last.now) / 1000;
      const used = countTreeTicks(last.tree, tree) / units.ticksPerS / seconds;
      return of({ ratio: used / look.cpus, cpus: look.cpus });
    });
}

/** The same for systems that list only shares of living processes: children that end between samples are missed. */
export function createListedTreeRatio(lookAt: SampleProcesses, { pid, withoutRoot }: TreeMetric): RatioOf {
  return (look) =>
    lookAt(look.now).pipe(
      switchMap((all) => {
        if (all.length === 0) return EMPTY;
        const tree = selectTree(all, pid);
        if (tree.length === 0) throw new Error(reportGone(pid));
        const counted = tree.filter((one) => one.pid !== pid || withoutRoot !== true);
        const used = counted.reduce((sum, process) => sum + process.cpuPercent, 0) / 100;
        return of({ ratio: used / look.cpus, cpus: look.cpus });
      }),
    );
}

function reportGone(root: number): string {
  return `tree:${root}: process ${root} is not there`;
}
