/**
 * The stage that remembers moves: it watches this node's items, measures the outcome one and five minutes after each
 * move, and tells the other stages how fast moves to a node are and which nodes are excluded for now.
 */
import type { Subscription } from 'rxjs';
import type { Clock } from '../../clock/clock.js';
import type { MemberTable } from '../../core/mesh/member-table.js';
import { NO_MOVES, watchItem, type MoveLogContext } from '../../core/placement/move-log.js';
import { excludedNodes, measureMoves, nextMeasureAt } from '../../core/placement/move-outcome.js';
import type { OwnedItem } from '../../core/owner/owned-item.js';
import type { NodeInput } from '../inputs.js';

/** What the history needs. */
export interface MoveHistoryDeps {
  readonly self: string;
  readonly clock: Clock;
  readonly members: MemberTable;
  readonly items: ReadonlyMap<string, OwnedItem>;
  push(input: NodeInput): void;
}

/** The moves of this boot. */
export interface MoveHistory {
  itemChanged(before: OwnedItem | undefined, after: OwnedItem | undefined): void;
  /** Nodes to which this one moves nothing on its own account for now. */
  excluded(): readonly string[];
  /** Bytes of image per second to a node; `undefined` before the first move there. */
  paceTo(node: string): number | undefined;
  close(): void;
}

/** Creates an empty history. */
export function createMoveHistory({ self, clock, members, items, push }: MoveHistoryDeps): MoveHistory {
  let log = NO_MOVES;
  let timer: { readonly at: number; readonly subscription: Subscription } | undefined;

  const context = (): MoveLogContext => ({
    self,
    now: clock.now(),
    stateOf: (node) => members.get(node)?.state,
    placeOf: (item) => {
      const state = items.get(item);
      return state?.phase === 'running' ? (state.receiver ?? undefined) : undefined;
    },
  });

  function arm(): void {
    const at = nextMeasureAt(log);
    if (at === undefined || timer?.at === at) return;
    timer?.subscription.unsubscribe();
    timer = { at, subscription: clock.scheduler.schedule(measure, Math.max(0, Math.ceil(at - clock.now()))) };
  }

  function measure(): void {
    timer = undefined;
    const { state, effects } = measureMoves(log, context());
    log = state;
    for (const effect of effects) if (effect.type === 'Publish') push({ type: 'EventWanted', event: effect });
    arm();
  }

  return {
    itemChanged: (before, after) => {
      log = watchItem(log, before, after, context());
      arm();
    },
    excluded: () => excludedNodes(log, self, clock.now()),
    paceTo: (node) => log.paces.get(node),
    close: () => timer?.subscription.unsubscribe(),
  };
}
