/**
 * The stage that remembers moves: it watches this node's items, looks again a minute and five minutes after each move, and
 * tells the other stages how fast moves to a node are and which nodes are left alone for now.
 */
import type { Subscription } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import type { MeshView } from '../core/mesh.js';
import { NO_MOVES, watchItem, type MoveLogFacts } from '../core/move-log.js';
import { leftAlone, lookAtMoves, nextLook } from '../core/move-outcome.js';
import type { OwnedItem } from '../core/owner/owned-item.js';
import type { NodeInput } from './inputs.js';

/** What remembering needs. */
export interface MoveRecordParts {
  readonly self: string;
  readonly clock: Clock;
  readonly view: MeshView;
  readonly items: () => ReadonlyMap<string, OwnedItem>;
  push(input: NodeInput): void;
}

/** What is remembered of moves, for this run of the node. */
export interface MoveRecord {
  itemChanged(before: OwnedItem | undefined, after: OwnedItem | undefined): void;
  /** Nodes to which this one sends nothing by itself for now. */
  leftAlone(): readonly string[];
  /** Bytes of image a second to a node; `undefined` before the first move there. */
  paceTo(node: string): number | undefined;
  close(): void;
}

/** Makes an empty record. */
export function createMoveRecord({ self, clock, view, items, push }: MoveRecordParts): MoveRecord {
  let log = NO_MOVES;
  let timer: { readonly at: number; readonly subscription: Subscription } | undefined;

  const facts = (): MoveLogFacts => ({
    self,
    now: clock.now(),
    stateOf: (node) => view.get(node)?.state,
    placeOf: (item) => {
      const state = items().get(item);
      return state?.phase === 'running' ? (state.receiver ?? undefined) : undefined;
    },
  });

  function arm(): void {
    const at = nextLook(log);
    if (at === undefined || timer?.at === at) return;
    timer?.subscription.unsubscribe();
    timer = { at, subscription: clock.scheduler.schedule(look, Math.max(0, Math.ceil(at - clock.now()))) };
  }

  function look(): void {
    timer = undefined;
    const { state, effects } = lookAtMoves(log, facts());
    log = state;
    for (const effect of effects) if (effect.type === 'Say') push({ type: 'EventWanted', event: effect });
    arm();
  }

  return {
    itemChanged: (before, after) => {
      log = watchItem(log, before, after, facts());
      arm();
    },
    leftAlone: () => leftAlone(log, self, clock.now()),
    paceTo: (node) => log.paces.get(node),
    close: () => timer?.subscription.unsubscribe(),
  };
}
