/**
 * What must hold while processes move as they are: the six steps in their order, and no part of an item to run once done twice.
 * Like all checkers they look at messages, disks and processes only.
 */
import type { SimProcess } from './sim-process.js';

/** What these checks look at. */
export interface MoveCheckParts {
  entry(node: string, key: string): Record<string, unknown> | undefined;
  /** Whether `<owner>/<item>` is to run once. */
  isOnce(work: string): boolean;
  /** Whether the process of `<owner>/<item>/<epoch>` is on a node's machine, running or stopped. */
  lives(node: string, run: string): boolean;
  report(promise: string, detail: string): void;
}

/** The checks of moves. */
export interface MoveChecks {
  ordered(
    owner: string,
    item: string,
    lease: { readonly epoch: number; readonly to: string; readonly order: string },
  ): void;
  /** `work`: `<owner>/<item>`. A process started, stopped, went on or ended. */
  processChanged(work: string, process: SimProcess): void;
}

/** Work that counts as done twice, ms: what is done within one step of the clock is not told apart. */
const TOLERANCE_MS = 1;

/** Makes the checks. */
export function createMoveChecks({ entry, report, isOnce, lives }: MoveCheckParts): MoveChecks {
  /** By item: how far any of its processes has come. */
  const farthest = new Map<string, number>();
  /** Copies that were let run. */
  const ran = new Set<string>();

  function ordered(owner: string, item: string, lease: { epoch: number; to: string; order: string }): void {
    const record = entry(owner, `item/${item}`);
    const holds = record?.['epoch'] === lease.epoch && record['receiver'] === lease.to;
    if (lease.order === 'continue' && !(holds && record?.['order'] === 'continue')) {
      report(
        'a commitment is journalled before it is said',
        `${owner} let ${item} of epoch ${lease.epoch} run at ${lease.to}`,
      );
    }
    const waits = record?.['phase'] === 'acked' && record['order'] === 'continue';
    // One whose lease ran out has ended already, and has said so.
    if (lease.order === 'settled' && waits && !holds && lives(lease.to, `${owner}/${item}/${lease.epoch}`)) {
      report('an original is ended only when its copy runs', `${owner} released ${lease.to} from ${item} too early`);
    }
  }

  function processChanged(work: string, process: SimProcess): void {
    const runs = process.state === 'lives' && !process.stopped;
    if (runs && process.doneMs > 0) checkGoing(work, process);
    farthest.set(work, Math.max(farthest.get(work) ?? 0, process.doneMs));
  }

  function checkGoing(work: string, process: SimProcess): void {
    const [owner = '', item = ''] = work.split('/');
    const epoch = Number(process.run.split('/')[2]);
    const record = entry(owner, `item/${item}`);
    const committed = record?.['order'] === 'continue' ? record['epoch'] : undefined;
    const isFirst = process.isCopy && !ran.has(process.execution);
    ran.add(process.execution);
    if (isFirst && !isLetRun(record, epoch)) {
      report('a copy runs only after its owner has committed itself', `${process.execution} was let run`);
    }
    if (committed !== undefined && committed !== epoch) {
      report('after the commitment the original stays stopped', `${process.execution} went on`);
    }
    const done = farthest.get(work) ?? 0;
    if (isOnce(work) && done > process.doneMs + TOLERANCE_MS) {
      report(
        'no part of a once item is done twice',
        `${process.execution} went on from ${process.doneMs} of ${done} ms`,
      );
    }
  }

  return { ordered, processChanged };
}

/** The owner's word stands until it has heard of it, or somebody cancels. */
function isLetRun(record: Record<string, unknown> | undefined, epoch: number): boolean {
  return record?.['epoch'] === epoch && (record['order'] === 'continue' || record['order'] === 'cancel');
}
