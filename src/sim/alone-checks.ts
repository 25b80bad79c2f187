/**
 * What must hold while the broker is away: a node that is not overloaded runs its own work, at once and not only when
 * the broker is back, and gives none to a member that cannot hear of it.
 */
import type { Claimant } from './checkers.js';
import type { Plan, Submission } from './plan.js';
import type { SimNode } from './sim-node.js';

/** What the checks look at. */
export interface AloneParts {
  readonly plan: Plan;
  now(): number;
  /** Since when the broker is down. */
  downSince(): number | undefined;
  node(id: string): SimNode | undefined;
  /** What a node says of itself. */
  word(id: string): Claimant | undefined;
  isAccepted(item: string): boolean;
  entry(node: string, key: string): Record<string, unknown> | undefined;
  report(promise: string, detail: string): void;
}

/** The checks. */
export interface AloneChecks {
  /** To be called every {@link ALONE_LOOK_MS}. */
  look(): void;
  journalled(node: string, key: string, after: string | undefined): void;
}

/** How often it is looked who is alone, and what waits there, ms. */
export const ALONE_LOOK_MS = 100;
/**
 * How long an item may wait at a node that could run it: as long as a claim for another owner holds its slots, and a
 * node that failed to start it once is left out; ms.
 */
const WAIT_MS_MAX = 8000;
/** A write that was asked for before the broker went is on disk after this long, ms. */
const WRITE_MS_MAX = 25;
/** After a stall a node works off what came meanwhile, ms. */
const CALM_MS = 1000;

/** Makes the checks. */
export function createAloneChecks(parts: AloneParts): AloneChecks {
  /** Since when each node runs undisturbed. */
  const calmSince = new Map<string, number>();
  const waits = new Map<string, { readonly since: number; readonly round: string }>();

  function look(): void {
    for (const id of parts.plan.nodes) {
      if (!isCalm(parts.node(id))) calmSince.delete(id);
      else if (!calmSince.has(id)) calmSince.set(id, parts.now());
    }
    for (const work of parts.plan.submissions) lookAt(work);
  }

  function lookAt(work: Submission): void {
    const round = describeWait(work);
    const known = waits.get(work.item);
    if (round === undefined) waits.delete(work.item);
    else if (known?.round !== round) waits.set(work.item, { since: parts.now(), round });
    else if (parts.now() - known.since > WAIT_MS_MAX) {
      parts.report('a node without its broker runs its own work', `${work.node} does not start ${work.item}: ${round}`);
    }
  }

  /** What the item waits for in vain; `undefined` when it has a reason to wait, or does not wait. */
  function describeWait(work: Submission): string | undefined {
    if (parts.downSince() === undefined || !calmSince.has(work.node) || !parts.isAccepted(work.item)) return undefined;
    if (work.place === 'away' || work.deferred) return undefined;
    const word = parts.word(work.node);
    if (word === undefined || word.trit === 1 || word.draining || word.slots_free < work.cpus) return undefined;
    const record = parts.entry(work.node, `item/${work.item}`);
    if (!hasRoom(word, record)) return undefined;
    // What is stopped to be moved, or is to go to a certain node, is another matter.
    if (record?.['phase'] !== 'queued' || record['image'] !== null || record['target'] !== null) return undefined;
    return `it waits since epoch ${String(record['lastEpoch'])} with ${word.slots_free} slots free`;
  }

  function journalled(node: string, key: string, after: string | undefined): void {
    const calm = calmSince.get(node);
    const downSince = parts.downSince();
    if (after === undefined || !key.startsWith('item/') || downSince === undefined || calm === undefined) return;
    if (parts.now() - downSince < WRITE_MS_MAX || parts.now() - calm < CALM_MS) return;
    const { phase, receiver, epoch } = JSON.parse(after) as { phase: string; receiver: string; epoch: number };
    const before = parts.entry(node, key);
    if (phase !== 'acked' || receiver === node || before?.['lastEpoch'] === epoch) return;
    parts.report(
      'a node without its broker gives no work away',
      `${node} acked ${key} to ${receiver}, which cannot hear of it`,
    );
  }

  return { look, journalled };
}

function isCalm(node: SimNode | undefined): boolean {
  return node?.node !== undefined && !node.host.stalled && !node.machine.suspended && !node.disk.full;
}

/** Whether there is room for its inputs; a node of little room takes nothing that does not fit. */
function hasRoom({ disk_free_bytes }: Claimant, record: Record<string, unknown> | undefined): boolean {
  const bundle = record?.['bundle'] as { readonly room?: number; readonly bytes: number } | null | undefined;
  if (disk_free_bytes === undefined || bundle === null || bundle === undefined) return true;
  return disk_free_bytes >= (bundle.room ?? bundle.bytes);
}
