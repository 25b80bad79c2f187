/**
 * Chooses the ended items that a node forgets: those that ended long ago, and the oldest if there are too many. An item
 * that has not ended is never forgotten. Age is measured in the node's running time, not by the wall clock.
 */
import { isSettled, type OwnedItem } from './owned-item.js';

/** Most ended items that a node keeps, with their outputs in its state directory. */
const SETTLED_KEPT_MAX = 1000;

/** Ids of the items to forget. `keptMs` and `runningMs` are running time, ms. */
export function chooseRetired(items: Iterable<OwnedItem>, keptMs: number, runningMs: number): readonly string[] {
  const ended = [...items]
    .filter((state) => isSettled(state.phase))
    // An item without a date of its end counts as ended now.
    .map((state) => ({ id: state.spec.id, at: state.endedRunningMs ?? runningMs }))
    .toSorted((a, b) => a.at - b.at);
  const tooMany = Math.max(0, ended.length - SETTLED_KEPT_MAX);
  return ended.filter((one, index) => index < tooMany || runningMs - one.at > keptMs).map((one) => one.id);
}
