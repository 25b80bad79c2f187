/**
 * Whether a PLUS node sends one of its running items away by itself, and which: the decision matrix's `migrate`, held back
 * by what keeps a mesh from thrashing. It gives the one reason why not, so that people can be told.
 */
import { HOPS_MAX } from '../protocol/limits.js';
import type { Direction, Trit } from '../protocol/messages.js';
import { rankReceivers } from './election.js';
import type { MeshRules } from './member.js';
import type { MeshView } from './mesh.js';
import type { Rebalance } from './offering.js';
import { findMoveObstacle } from './owner/move.js';
import { askFor, type OwnedItem } from './owner/owned-item.js';

/** What keeps work from moving to and fro. */
export interface MoveRules {
  /** The receiver's ratio with the item on it must stay at or below this. */
  readonly projectedMax: number;
  /** The owner's ratio must be above the receiver's, with the item on it, by at least this. */
  readonly gainMin: number;
  /** Pause of a node after a move, ms. */
  readonly cooldownMs: number;
  /** Pause of an item after a move, ms. */
  readonly itemRestMs: number;
}

/** An item of this owner that runs on this machine, with the share of one core it uses, 0..100 times the cores. */
export interface RunningHere {
  readonly state: OwnedItem;
  readonly score: number;
}

/** What the choice goes by. */
export interface SheddingFacts {
  readonly self: string;
  readonly view: MeshView;
  readonly mesh: MeshRules;
  readonly moves: MoveRules;
  readonly now: number;
  readonly trit: Trit;
  readonly loadRatio: number;
  readonly direction: Direction;
  readonly rebalance: Rebalance;
  /** When this node last moved something, monotonic ms. */
  readonly lastMoveAt: number;
  /** An item of this node is being moved right now. */
  readonly moving: boolean;
}

/** The item to move and why, or why none. */
export type Shedding =
  | { readonly shed: true; readonly item: string; readonly reason: string }
  | { readonly shed: false; readonly reason: string };

/** Chooses the heaviest item that may and should move. */
export function chooseShed(running: readonly RunningHere[], facts: SheddingFacts): Shedding {
  const reason = findNodeObstacle(facts);
  if (reason !== undefined) return { shed: false, reason };
  const reasons: string[] = [];
  for (const one of running.toSorted((a, b) => b.score - a.score)) {
    const verdict = judgeItem(one, facts);
    if (verdict.shed) return verdict;
    reasons.push(`${one.state.item.item}: ${verdict.reason}`);
  }
  return { shed: false, reason: reasons.length === 0 ? 'nothing of this node runs here' : reasons.join('; ') };
}

function findNodeObstacle(facts: SheddingFacts): string | undefined {
  if (facts.trit !== 1) return 'this node is not PLUS';
  if (facts.rebalance === 'gf3' && facts.direction !== 'shed')
    return 'rebalance is gf3 and the mesh sum is not above 0';
  if (facts.moving) return 'one move at a time: another one is under way';
  if (facts.now - facts.lastMoveAt < facts.moves.cooldownMs) return 'this node moved something only just now';
  return undefined;
}

function judgeItem(one: RunningHere, facts: SheddingFacts): Shedding {
  const { state } = one;
  const obstacle = findMoveObstacle(state);
  if (obstacle !== undefined) return { shed: false, reason: obstacle };
  // What people ask for is not counted against them; a mesh left to itself must not hand an item round.
  if (state.hops >= HOPS_MAX) return { shed: false, reason: `it has moved ${state.hops} times already` };
  if (facts.now - state.movedAt < facts.moves.itemRestMs) return { shed: false, reason: 'it was moved only lately' };
  const ask = askFor({ ...state, epoch: state.epoch + 1, avoid: [facts.self] }, facts.self);
  const best = rankReceivers(facts.view, ask, facts.now, facts.mesh).ranked[0];
  if (best === undefined) return { shed: false, reason: 'no receiver is in sight' };
  return judgeGain(state, best, facts);
}

function judgeGain(state: OwnedItem, best: string, facts: SheddingFacts): Shedding {
  const receiver = facts.view.get(best)?.state;
  const cpus = receiver?.cpus ?? 1;
  const after = (receiver?.projected_ratio ?? 0) + state.item.need.cpus / cpus;
  if (after > facts.moves.projectedMax) {
    return { shed: false, reason: `${best} would be at ${after.toFixed(2)}, above ${facts.moves.projectedMax}` };
  }
  if (facts.loadRatio - after < facts.moves.gainMin) {
    return { shed: false, reason: `moving it to ${best} gains less than ${facts.moves.gainMin}` };
  }
  const reason = `this node is PLUS at ${facts.loadRatio.toFixed(2)}, ${best} would be at ${after.toFixed(2)}`;
  return { shed: true, item: state.item.item, reason };
}
