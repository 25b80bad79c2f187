/**
 * Whether a healed world has come to rest: everything is settled, released and agreed upon; and if not, what is missing.
 */
import { SETTLED } from './checkers.js';
import type { Submission } from './plan.js';
import type { SimNode } from './sim-node.js';
import type { World } from './world.js';

/** The first thing that is not as it must be in the end; `undefined` at rest. */
export function findUnrest(world: World): string | undefined {
  for (const work of world.plan.submissions) {
    if (!world.accepted.has(work.item) || isForgotten(work, world)) continue;
    const phase = phaseOf(world, work.node, work.item);
    // `lost` waits for a person: a once item may end so.
    const isEnd = phase !== undefined && (SETTLED.has(phase) || (phase === 'lost' && work.retry === 'once'));
    if (!isEnd) return `${work.node} has ${work.item} in phase ${phase ?? 'none: it is gone'}`;
  }
  for (const node of world.nodes.values()) {
    const left = findLeft(node, world) ?? findDisagreement(node, world);
    if (left !== undefined) return left;
  }
  return undefined;
}

function phaseOf(world: World, node: string, item: string): string | undefined {
  const text = world.nodes.get(node)?.disk.contents.get(`item/${item}`);
  return text === undefined ? undefined : (JSON.parse(text) as { phase: string }).phase;
}

/** What was just submitted may not be on the disk yet, ms. */
const WRITE_MS = 50;

/** Whether an item was submitted after the snapshot that its owner was put back to: the disk has never heard of it. */
function isForgotten({ node, item }: Submission, { setBacks, accepted }: World): boolean {
  const at = accepted.get(item) ?? Number.NaN;
  return setBacks.some((one) => one.node === node && at >= one.from - WRITE_MS && at <= one.to);
}

/** Whether files of this owner may be gone with its disk, as its journal says. */
function wasSetBack(node: string, { setBacks }: World): boolean {
  return setBacks.some((one) => one.node === node);
}

/** A guest that nobody released, or a process without a guest. */
function findLeft(node: SimNode, world: World): string | undefined {
  const forgotten = new Set(world.plan.submissions.filter((work) => isForgotten(work, world)).map((work) => work.item));
  for (const key of node.disk.contents.keys()) {
    // The result of an item that its owner lost with its disk is kept for a person.
    if (key.startsWith('guest/') && !forgotten.has(key.split('/')[2] ?? '')) return `${node.id} still has ${key}`;
  }
  for (const process of node.machine.processes.values()) {
    if (process.state === 'lives') return `${node.id} still runs ${process.execution}`;
  }
  return undefined;
}

function findDisagreement(node: SimNode, world: World): string | undefined {
  if (node.node === undefined) return `${node.id} does not run`;
  if (world.drained.has(node.id)) return `${node.id} drains although everybody was told to resume`;
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

/** Every item that is done has at its owner what one of its own executions wrote that ran to its end. */
export function findStrangeOutput(world: World): string | undefined {
  for (const work of world.plan.submissions) {
    if (phaseOf(world, work.node, work.item) !== 'done' || wasSetBack(work.node, world)) continue;
    const brought = world.nodes.get(work.node)?.machine.files.get(`items/${work.item}/stdout`);
    if (brought === undefined) return `${work.item} is done and its output is not home`;
    if (!world.completed.has(brought) || !brought.includes(`:${work.node}/${work.item}/`)) {
      return `${work.item} is done with the output of ${brought}, which is no completed execution of it`;
    }
  }
  return undefined;
}

/** An item that did not end by itself, in a plan that excuses no other end. */
export function findEnded(world: World): string | undefined {
  if (world.plan.startsOnce !== true) return undefined;
  for (const work of world.plan.submissions) {
    const phase = phaseOf(world, work.node, work.item);
    if (phase !== 'done') return `${work.item} of ${work.node} is ${phase ?? 'gone'}`;
  }
  return undefined;
}

/** An item that is still held by the node that died, long after its lease. */
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

/** An item to run once that is given up as lost although its receiver has said that it ran to its end. */
export function findLostResult(world: World): string | undefined {
  for (const work of world.plan.submissions) {
    const receiver = world.checkers.finished.get(`${work.node}/${work.item}`);
    if (receiver === undefined || phaseOf(world, work.node, work.item) !== 'lost') continue;
    if (wasSetBack(work.node, world)) continue;
    // How a run ended is told by its machine as long as that has power.
    if (world.nodes.get(receiver)?.machine.powerLosses !== 0) continue;
    return `${work.node} has given up ${work.item} although ${receiver} said its result`;
  }
  return undefined;
}
