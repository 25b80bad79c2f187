/**
 * What must hold while the broker is down: a node that is not overloaded runs its own work without waiting for the
 * broker, and gives none to a member that cannot hear of it.
 */
import type { Claimant } from './invariants.js';
import type { Plan, Submission } from '../plan/plan.js';
import type { SimNode } from '../parts/sim-node.js';

/** What the checks observe. */
export interface AloneCheckDeps {
  readonly plan: Plan;
  now(): number;
  /** Since when the broker has been down, ms; `undefined` while it is up. */
  downSince(): number | undefined;
  node(id: string): SimNode | undefined;
  /** The state that a node last published about itself. */
  state(id: string): Claimant | undefined;
  isAccepted(item: string): boolean;
  entry(node: string, key: string): Record<string, unknown> | undefined;
  report(promise: string, detail: string): void;
}

/** The checks of one simulation. */
export interface AloneChecks {
  /** To be called every {@link ALONE_CHECK_MS}. */
  check(): void;
  journalled(node: string, key: string, after: string | undefined): void;
}

/** Interval between two checks, ms. */
export const ALONE_CHECK_MS = 100;
/**
 * How long an item may wait at a node that could run it, ms: as long as a claim for another owner may hold its slots,
 * or a node that failed to start it stays excluded.
 */
const WAIT_MS_MAX = 8000;
/** A write that was requested before the broker went down is on disk after this time, ms. */
const WRITE_MS_MAX = 25;
/** After a stall, a node needs this time to work off its backlog, ms. */
const UNDISTURBED_MS_MIN = 1000;

/** Creates the checks. They report broken promises through `deps.report`. */
export function createAloneChecks(deps: AloneCheckDeps): AloneChecks {
  /** Since when each node has been running undisturbed, ms. */
  const undisturbedSince = new Map<string, number>();
  const waits = new Map<string, { readonly since: number; readonly round: string }>();

  function check(): void {
    for (const id of deps.plan.nodes) {
      if (!isUndisturbed(deps.node(id))) undisturbedSince.delete(id);
      else if (!undisturbedSince.has(id)) undisturbedSince.set(id, deps.now());
    }
    for (const work of deps.plan.submissions) checkItem(work);
  }

  function checkItem(work: Submission): void {
    const round = describeWait(work);
    const known = waits.get(work.item);
    if (round === undefined) waits.delete(work.item);
    else if (known?.round !== round) waits.set(work.item, { since: deps.now(), round });
    else if (deps.now() - known.since > WAIT_MS_MAX) {
      deps.report('a node without its broker runs its own work', `${work.node} does not start ${work.item}: ${round}`);
    }
  }

  /** Why the item should be running but waits; `undefined` if it has a reason to wait, or does not wait. */
  function describeWait(work: Submission): string | undefined {
    if (deps.downSince() === undefined || !undisturbedSince.has(work.node) || !deps.isAccepted(work.item))
      return undefined;
    if (work.place === 'away' || work.deferred) return undefined;
    const state = deps.state(work.node);
    if (state === undefined || state.trit === 1 || state.draining || state.slots_free < work.cpus) return undefined;
    const record = deps.entry(work.node, `item/${work.item}`);
    if (!fitsOnDisk(state, record)) return undefined;
    // Items that were stopped for a move, or have a fixed target, may wait.
    if (record?.['phase'] !== 'queued' || record['image'] !== null || record['target'] !== null) return undefined;
    return `it waits since epoch ${String(record['lastEpoch'])} with ${state.slots_free} slots free`;
  }

  function journalled(node: string, key: string, after: string | undefined): void {
    const since = undisturbedSince.get(node);
    const downSince = deps.downSince();
    if (after === undefined || !key.startsWith('item/') || downSince === undefined || since === undefined) return;
    if (deps.now() - downSince < WRITE_MS_MAX || deps.now() - since < UNDISTURBED_MS_MIN) return;
    const { phase, receiver, epoch } = JSON.parse(after) as { phase: string; receiver: string; epoch: number };
    const before = deps.entry(node, key);
    if (phase !== 'acked' || receiver === node || before?.['lastEpoch'] === epoch) return;
    deps.report(
      'a node without its broker gives no work away',
      `${node} acked ${key} to ${receiver}, which cannot hear of it`,
    );
  }

  return { check, journalled };
}

function isUndisturbed(node: SimNode | undefined): boolean {
  return node?.node !== undefined && !node.host.stalled && !node.machine.suspended && !node.disk.full;
}

/** Whether the item's inputs fit into the node's free disk space. */
function fitsOnDisk({ disk_free_bytes }: Claimant, record: Record<string, unknown> | undefined): boolean {
  const bundle = record?.['bundle'] as { readonly room?: number; readonly bytes: number } | null | undefined;
  if (disk_free_bytes === undefined || bundle === null || bundle === undefined) return true;
  return disk_free_bytes >= (bundle.room ?? bundle.bytes);
}
