/**
 * Whether a healed world is quiescent: all items are settled, all guests are released, and all nodes agree. If not, it
 * reports the first thing that is missing.
 */
import { SETTLED } from './invariants.js';
import type { Submission } from '../plan/plan.js';
import type { SimNode } from '../parts/sim-node.js';
import type { World } from '../world.js';

/** The first thing that keeps the world from being quiescent; `undefined` if it is. */
export function whyNotQuiescent(world: World): string | undefined {
  for (const work of world.plan.submissions) {
    if (!world.accepted.has(work.item) || isRolledBack(work, world)) continue;
    const phase = phaseOf(world, work.node, work.item);
    // `lost` waits for a person to decide: a once item may end that way.
    const isEnd = phase !== undefined && (SETTLED.has(phase) || (phase === 'lost' && work.retry === 'once'));
    if (!isEnd) return `${work.node} has ${work.item} in phase ${phase ?? 'none: it is gone'}`;
  }
  for (const node of world.nodes.values()) {
    const left = findLeftover(node, world) ?? findDisagreement(node, world);
    if (left !== undefined) return left;
  }
  return undefined;
}

function phaseOf(world: World, node: string, item: string): string | undefined {
  const text = world.nodes.get(node)?.disk.contents.get(`item/${item}`);
  return text === undefined ? undefined : (JSON.parse(text) as { phase: string }).phase;
}

/** A confirmed submission is on disk within this time, ms. */
const WRITE_MS = 50;

/** Whether an item was submitted after the snapshot to which its owner was rolled back, so that its disk lacks it. */
function isRolledBack({ node, item }: Submission, { rollbacks, accepted }: World): boolean {
  const at = accepted.get(item) ?? Number.NaN;
  return rollbacks.some((one) => one.node === node && at >= one.from - WRITE_MS && at <= one.to);
}

/** Whether this owner was rolled back, so that files of its items may be missing. */
function wasRolledBack(node: string, { rollbacks }: World): boolean {
  return rollbacks.some((one) => one.node === node);
}

/** A guest that was never released, or a process that still runs. */
function findLeftover(node: SimNode, world: World): string | undefined {
  const forgotten = new Set(
    world.plan.submissions.filter((work) => isRolledBack(work, world)).map((work) => work.item),
  );
  for (const key of node.disk.contents.keys()) {
    // If the owner's rollback lost the item, the receiver keeps its result for a person.
    if (key.startsWith('guest/') && !forgotten.has(key.split('/')[2] ?? '')) return `${node.id} still has ${key}`;
  }
  for (const process of node.machine.processes.values()) {
    if (process.state === 'alive') return `${node.id} still runs ${process.execution}`;
  }
  return undefined;
}

function findDisagreement(node: SimNode, world: World): string | undefined {
  if (node.node === undefined) return `${node.id} does not run`;
  if (world.drained.has(node.id)) return `${node.id} still drains after all nodes were told to resume`;
  const truth = [...world.trits.values()].reduce((sum, trit) => sum + trit, 0);
  let seen: { sum: number; online: number } | undefined;
  node.node.sum$
    .subscribe((sum) => {
      seen = sum;
    })
    .unsubscribe();
  if (seen === undefined) return `${node.id} derives no sum`;
  if (seen.online !== world.nodes.size) return `${node.id} sees ${seen.online} of ${world.nodes.size} nodes online`;
  return seen.sum === truth ? undefined : `${node.id} derives the sum ${seen.sum}, the truth is ${truth}`;
}

/** A done item whose output at its owner is missing, or was not written by one of its completed executions. */
export function findWrongOutput(world: World): string | undefined {
  for (const work of world.plan.submissions) {
    if (phaseOf(world, work.node, work.item) !== 'done' || wasRolledBack(work.node, world)) continue;
    const brought = world.nodes.get(work.node)?.machine.files.get(`items/${work.item}/stdout`);
    if (brought === undefined) return `${work.item} is done, but its output is not at its owner`;
    if (!world.completed.has(brought) || !brought.includes(`:${work.node}/${work.item}/`)) {
      return `${work.item} is done with the output of ${brought}, which is not a completed execution of it`;
    }
  }
  return undefined;
}

/** An item that did not run to its own end, in a plan that excuses no other end. */
export function findCutShort(world: World): string | undefined {
  if (world.plan.startsOnce !== true) return undefined;
  for (const work of world.plan.submissions) {
    const phase = phaseOf(world, work.node, work.item);
    if (phase !== 'done') return `${work.item} of ${work.node} is ${phase ?? 'gone'}`;
  }
  return undefined;
}

/** An item that its owner still leaves with the dead node, long after the lease ended. */
export function findStuck(world: World): string | undefined {
  const { dies, submissions } = world.plan;
  if (dies === undefined) return undefined;
  for (const { node, item } of submissions) {
    const text = world.nodes.get(node)?.disk.contents.get(`item/${item}`);
    const record = JSON.parse(text ?? '{}') as { phase?: string; receiver?: string | null };
    if (record.receiver === dies && (record.phase === 'acked' || record.phase === 'running'))
      return `${node} still waits for ${dies} with ${item}`;
  }
  return undefined;
}

/** A once item that its owner gave up as lost after its receiver had reported that it ran to its end. */
export function findLostResult(world: World): string | undefined {
  for (const work of world.plan.submissions) {
    const receiver = world.invariants.finished.get(`${work.node}/${work.item}`);
    if (receiver === undefined || phaseOf(world, work.node, work.item) !== 'lost') continue;
    if (wasRolledBack(work.node, world)) continue;
    // A machine that lost power may have lost the result, too.
    if (world.nodes.get(receiver)?.machine.powerLosses !== 0) continue;
    return `${work.node} gave up ${work.item} after ${receiver} had published its result`;
  }
  return undefined;
}
