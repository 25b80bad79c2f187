/**
 * The `tree:PID` ratio: the cpu time that a process and its descendants used. It lets several nodes on one machine each
 * sense their own share of it.
 */
import { defer, EMPTY, of, switchMap } from 'rxjs';
import type { SampleProcesses, RatioOf } from './machine.js';
import { scanProcesses, type KernelUnits, type ProcessCount } from './process-scan.js';
import type { Metric } from './metric.js';
import { countTreeTicks, selectTree } from './process-tree.js';

type TreeMetric = Extract<Metric, { readonly kind: 'tree' }>;

/**
 * Cpus that the tree of `pid` used since the look before, per cpu. The first look gives nothing; errors when the
 * process is gone.
 */
export function createTreeRatio(procDir: string, units: KernelUnits, { pid, withoutRoot }: TreeMetric): RatioOf {
  let before: { readonly now: number; readonly tree: readonly ProcessCount[] } | undefined;
  return (look) =>
    defer(() => {
      const whole = selectTree(scanProcesses(procDir, units).values(), pid);
      if (whole.length === 0) throw new Error(reportGone(pid));
      // The root stays in the tree: what its ended children ran is counted by it.
      const tree = whole.map((one) => (one.pid === pid && withoutRoot === true ? { ...one, ownTicks: 0 } : one));
      const last = before;
      before = { now: look.now, tree };
      if (last === undefined || look.now <= last.now) return EMPTY;
      const seconds = (look.now - last.now) / 1000;
      const used = countTreeTicks(last.tree, tree) / units.ticksPerS / seconds;
      return of({ ratio: used / look.cpus, cpus: look.cpus });
    });
}

/** The same where only shares of living processes can be listed: children that ended between two looks are missed. */
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
