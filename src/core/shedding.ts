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
import { weighMove } from './payoff.js';

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

/** An item of this owner that runs on this machine. */
export interface RunningHere {
  readonly state: OwnedItem;
  /** Share of one core that it uses, 0..100 times the cores. */
  readonly score: number;
  /** Memory of its processes, and the age of the oldest. */
  readonly memoryBytes: number;
  readonly ranMs: number;
}

/** What every move that nobody asked for goes by. */
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
  /** Nodes to which moves made things worse. */
  readonly leftAlone: readonly string[];
  /** Bytes of image a second to a node, as far as it was measured. */
  paceTo(node: string): number | undefined;
}

/** The item to move and why, or why none. */
export type Shedding =
  | { readonly shed: true; readonly item: string; readonly reason: string; readonly shun: readonly string[] }
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

/** Why this node sends nothing away by itself now; `undefined` if it may. */
export function findNodeObstacle(facts: SheddingFacts): string | undefined {
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
  const { ranked, blocked } = rankReceivers(
    facts.view,
    askFor({ ...state, epoch: state.epoch + 1, avoid: [facts.self], shun: facts.leftAlone }, facts.self),
    facts.now,
    facts.mesh,
  );
  const [best] = ranked;
  if (best === undefined) return { shed: false, reason: describeNobody(facts, blocked) };
  const image = state.item.command.migrate === 'checkpoint' ? one : undefined;
  const waste = findGainObstacle(best, state.item.need.cpus, image, facts);
  if (waste !== undefined) return { shed: false, reason: waste };
  const after = projectRatio(best, state.item.need.cpus, facts);
  const reason = `this node is PLUS at ${facts.loadRatio.toFixed(2)}, ${best} would be at ${after.toFixed(2)}`;
  return { shed: true, item: state.item.item, reason, shun: facts.leftAlone };
}

function describeNobody({ leftAlone }: SheddingFacts, blocked: ReadonlyMap<string, string>): string {
  const left = leftAlone.filter((node) => blocked.has(node));
  if (left.length === 0) return 'no receiver is in sight';
  return `no receiver is in sight but ${left.join(', ')}, left alone for a while: the last move there made things worse`;
}

/**
 * Why a move to this node does not pay; `undefined` if it does. `image`: what is known of a process that moves as it is; a restart has
 * no image.
 */
export function findGainObstacle(
  to: string,
  cpus: number,
  image: { readonly memoryBytes: number; readonly ranMs: number } | undefined,
  facts: SheddingFacts,
): string | undefined {
  const { moves, loadRatio } = facts;
  const after = projectRatio(to, cpus, facts);
  if (after > moves.projectedMax) return `${to} would be at ${after.toFixed(2)}, above ${moves.projectedMax}`;
  if (loadRatio - after < moves.gainMin) return `moving it to ${to} gains less than ${moves.gainMin}`;
  if (image === undefined) return undefined;
  const payoff = weighMove({
    ratioHere: loadRatio,
    ratioThere: after,
    ranMs: image.ranMs,
    imageBytes: image.memoryBytes,
    bytesPerS: facts.paceTo(to),
  });
  return payoff.pays ? undefined : `moving it to ${to} does not pay: it ${payoff.sentence}`;
}

/** Load per cpu of a node with so many cpus of work more on it. */
function projectRatio(node: string, cpus: number, { view }: SheddingFacts): number {
  const state = view.get(node)?.state;
  return (state?.projected_ratio ?? 0) + cpus / (state?.cpus ?? 1);
}
