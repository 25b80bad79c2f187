/**
 * What must hold while running processes move: the six steps happen in order, and no part of a once item's work is done
 * twice. Like all invariants, these look only at messages, disks and processes.
 */
import type { SimProcess } from '../parts/sim-process.js';

/** What these checks observe. */
export interface MoveCheckDeps {
  entry(node: string, key: string): Record<string, unknown> | undefined;
  /** Whether `<owner>/<item>` is a once item. */
  isOnce(work: string): boolean;
  /** Whether the process of `<owner>/<item>/<epoch>` exists on a node's machine, running or stopped. */
  isAlive(node: string, run: string): boolean;
  report(promise: string, detail: string): void;
}

/** The checks of moves. */
export interface MoveChecks {
  leasePublished(
    owner: string,
    item: string,
    lease: { readonly epoch: number; readonly to: string; readonly order: string },
  ): void;
  /** A process of `work` (`<owner>/<item>`) started, stopped, continued or ended. */
  processChanged(work: string, process: SimProcess): void;
}

/** Less repeated work than this does not count, ms: the clock cannot resolve it. */
const TOLERANCE_MS = 1;

/** Creates the checks. They report broken promises through `report`. */
export function createMoveChecks({ entry, report, isOnce, isAlive }: MoveCheckDeps): MoveChecks {
  /** By item: the most work that any of its processes has done, ms. */
  const farthest = new Map<string, number>();
  /** Executions of copies that were allowed to run. */
  const ran = new Set<string>();

  function leasePublished(owner: string, item: string, lease: { epoch: number; to: string; order: string }): void {
    const record = entry(owner, `item/${item}`);
    const holds = record?.['epoch'] === lease.epoch && record['receiver'] === lease.to;
    if (lease.order === 'continue' && !(holds && record?.['order'] === 'continue')) {
      report(
        'a commitment is journaled before it is published',
        `${owner} let ${item} of epoch ${lease.epoch} run at ${lease.to}`,
      );
    }
    const waits = record?.['phase'] === 'acked' && record['order'] === 'continue';
    // An original whose lease ran out has ended already, and has reported it.
    if (lease.order === 'settled' && waits && !holds && isAlive(lease.to, `${owner}/${item}/${lease.epoch}`)) {
      report('an original is ended only after its copy runs', `${owner} released ${lease.to} from ${item} too early`);
    }
  }

  function processChanged(work: string, process: SimProcess): void {
    const runs = process.state === 'alive' && !process.stopped;
    if (runs && process.doneMs > 0) checkRunning(work, process);
    farthest.set(work, Math.max(farthest.get(work) ?? 0, process.doneMs));
  }

  function checkRunning(work: string, process: SimProcess): void {
    const [owner = '', item = ''] = work.split('/');
    const epoch = Number(process.run.split('/')[2]);
    const record = entry(owner, `item/${item}`);
    const committed = record?.['order'] === 'continue' ? record['epoch'] : undefined;
    const isFirst = process.isCopy && !ran.has(process.execution);
    ran.add(process.execution);
    if (isFirst && !mayRun(record, epoch)) {
      report('a copy runs only after its owner has committed the move', `${process.execution} was started too early`);
    }
    if (committed !== undefined && committed !== epoch) {
      report('after the commitment the original stays stopped', `${process.execution} continued`);
    }
    const done = farthest.get(work) ?? 0;
    if (isOnce(work) && done > process.doneMs + TOLERANCE_MS) {
      report(
        'no part of a once item is done twice',
        `${process.execution} continued from ${process.doneMs} of ${done} ms`,
      );
    }
  }

  return { leasePublished, processChanged };
}

/** The owner's order to continue holds until the copy has reported, or until the item is cancelled. */
function mayRun(record: Record<string, unknown> | undefined, epoch: number): boolean {
  return record?.['epoch'] === epoch && (record['order'] === 'continue' || record['order'] === 'cancel');
}
