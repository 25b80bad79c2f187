/**
 * The shed stage: on a PLUS node, at intervals, one running item that may be restarted is moved to another node if that
 * pays.
 */
import { filter, map, type Observable } from 'rxjs';
import { chooseShed, type RunningHere, type ShedContext } from '../../core/placement/shedding.js';
import type { NodeInput } from '../inputs.js';

/** What the shed stage reads when it is due. */
export interface ShedDeps {
  running(): readonly RunningHere[];
  context(): ShedContext;
}

/** Sheds at most one item each time it is due. */
export function shedItems(due$: Observable<unknown>, deps: ShedDeps): Observable<NodeInput> {
  return due$.pipe(
    map(() => chooseShed(deps.running(), deps.context())),
    filter((shedding) => shedding.shed),
    map((shedding): NodeInput => ({
      type: 'ItemInput',
      item: shedding.item,
      input: { type: 'MoveAsked', reason: shedding.reason, to: null, excluded: shedding.excluded },
    })),
  );
}
