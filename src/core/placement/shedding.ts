/**
 * Decides whether a PLUS node moves one of its running items away without being asked, and which one: the `migrate` of
 * the decision matrix, restrained by rules against thrashing. If not, it returns the one reason, which is shown to
 * people.
 */
import { HOPS_MAX } from '../../protocol/limits.js';
import type { Direction, Trit } from '../../protocol/messages.js';
import { rankReceivers, type Ranking } from '../mesh/ranking.js';
import type { MeshRules } from '../mesh/member.js';
import type { MemberTable } from '../mesh/member-table.js';
import type { Rebalance } from './offering.js';
import { findMoveObstacle } from '../owner/move.js';
import { placementFor, type OwnedItem } from '../owner/owned-item.js';
import { estimateMove } from './move-cost.js';

/** Rules that keep work from moving back and forth. */
export interface MoveRules {
  /** The receiver's ratio with the item on it must stay at or below this. */
  readonly projectedMax: number;
  /** The owner's ratio must be above the receiver's, with the item on it, by at least this. */
  readonly gainMin: number;
  /** Pause of this node after a move, ms. */
  readonly cooldownMs: number;
  /** Pause of an item after a move, ms. */
  readonly itemRestMs: number;
}

/** An item of this node that runs on this node. */
export interface RunningHere {
  readonly state: OwnedItem;
  /** Share of one core that it uses, 0..100 times the cores. */
  readonly score: number;
  /** Memory of its processes, and how long the oldest has run. */
  readonly memoryBytes: number;
  readonly ranMs: number;
}

/** What every move that nobody asked for depends on. */
export interface ShedContext {
  readonly self: string;
  readonly members: MemberTable;
  readonly mesh: MeshRules;
  readonly moves: MoveRules;
  readonly now: number;
  readonly trit: Trit;
  readonly loadRatio: number;
  readonly direction: Direction;
  readonly rebalance: Rebalance;
  /** When this node last moved something, monotonic ms. */
  readonly lastMoveAt: number;
  /** An item of this node is being moved. */
  readonly moving: boolean;
  /** Nodes that are left out because of a back-off. */
  readonly excluded: readonly string[];
  /** Image bytes per second to a node; `undefined` if not measured. */
  paceTo(node: string): number | undefined;
}

/** The item to move and why, or why none. */
export type ShedDecision =
  | { readonly shed: true; readonly item: string; readonly reason: string; readonly excluded: readonly string[] }
  | { readonly shed: false; readonly reason: string };

/** Chooses the heaviest item that may and should move. */
export function chooseShed(running: readonly RunningHere[], context: ShedContext): ShedDecision {
  const reason = findNodeObstacle(context);
  if (reason !== undefined) return { shed: false, reason };
  const reasons: string[] = [];
  for (const one of running.toSorted((a, b) => b.score - a.score)) {
    const verdict = judgeItem(one, context);
    if (verdict.shed) return verdict;
    reasons.push(`${one.state.spec.id}: ${verdict.reason}`);
  }
  return { shed: false, reason: reasons.length === 0 ? 'nothing of this node runs here' : reasons.join('; ') };
}

/** Why this node moves nothing away now without being asked; `undefined` if it may. */
export function findNodeObstacle(context: ShedContext): string | undefined {
  if (context.trit !== 1) return 'this node is not PLUS';
  if (context.rebalance === 'gf3' && context.direction !== 'shed')
    return 'rebalance is gf3 and the mesh sum is not above 0';
  if (context.moving) return 'one move at a time: another one is under way';
  if (context.now - context.lastMoveAt < context.moves.cooldownMs) return 'this node moved something too recently';
  return undefined;
}

function judgeItem(one: RunningHere, context: ShedContext): ShedDecision {
  const { state } = one;
  const obstacle = findMoveObstacle(state);
  if (obstacle !== undefined) return { shed: false, reason: obstacle.text };
  // Requests are not limited, but a mesh left alone must not hand an item round.
  if (state.hops >= HOPS_MAX) return { shed: false, reason: `it has moved ${state.hops} times already` };
  if (context.now - state.movedAt < context.moves.itemRestMs)
    return { shed: false, reason: 'it was moved too recently' };
  const { ranked, blocked } = rankReceivers(
    context.members,
    placementFor(
      { ...state, epoch: state.epoch + 1, avoid: [context.self], excludedForMove: context.excluded },
      context.self,
    ),
    context.now,
    context.mesh,
  );
  const [best] = ranked;
  if (best === undefined) return { shed: false, reason: explainNoReceiver(context, blocked) };
  const image = state.spec.command.migrate === 'checkpoint' ? one : undefined;
  const waste = findGainObstacle(best, state.spec.need.cpus, image, context);
  if (waste !== undefined) return { shed: false, reason: waste };
  const after = projectRatio(best, state.spec.need.cpus, context);
  const reason = `this node is PLUS at ${context.loadRatio.toFixed(2)}, ${best} would be at ${after.toFixed(2)}`;
  return { shed: true, item: state.spec.id, reason, excluded: context.excluded };
}

function explainNoReceiver({ excluded }: ShedContext, blocked: Ranking['blocked']): string {
  const inBackoff = excluded.filter((node) => blocked.has(node));
  if (inBackoff.length === 0) return 'no receiver is in sight';
  return `no receiver is in sight but ${inBackoff.join(', ')}, left alone for a while: the last move there made things worse`;
}

/**
 * Why a move to this node does not pay; `undefined` if it does. `image` is set for a process that moves as it is; an
 * item that is restarted has no image.
 */
export function findGainObstacle(
  to: string,
  cpus: number,
  image: { readonly memoryBytes: number; readonly ranMs: number } | undefined,
  context: ShedContext,
): string | undefined {
  const { moves, loadRatio } = context;
  const after = projectRatio(to, cpus, context);
  if (after > moves.projectedMax) return `${to} would be at ${after.toFixed(2)}, above ${moves.projectedMax}`;
  if (loadRatio - after < moves.gainMin) return `moving it to ${to} gains less than ${moves.gainMin}`;
  if (image === undefined) return undefined;
  const estimate = estimateMove({
    ratioHere: loadRatio,
    ratioThere: after,
    ranMs: image.ranMs,
    imageBytes: image.memoryBytes,
    bytesPerS: context.paceTo(to),
  });
  return estimate.pays ? undefined : `moving it to ${to} does not pay: it ${estimate.sentence}`;
}

/** Load per cpu of a node with `cpus` more cpus of work. */
function projectRatio(node: string, cpus: number, { members }: ShedContext): number {
  const state = members.get(node)?.state;
  return (state?.projected_ratio ?? 0) + cpus / (state?.cpus ?? 1);
}
