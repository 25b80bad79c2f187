/**
 * The shed stage: on a PLUS node, now and then, one running item that may be restarted is sent elsewhere if that pays.
 */
import { filter, map, type Observable } from 'rxjs';
import { chooseShed, type RunningHere, type SheddingFacts } from '../core/shedding.js';
import type { NodeInput } from './inputs.js';

/** What the shed stage reads when it is due. */
export interface ShedParts {
  running(): readonly RunningHere[];
  facts(): SheddingFacts;
}

/** Sheds at most one item each time it is due. */
export function shedItems(due$: Observable<unknown>, parts: ShedParts): Observable<NodeInput> {
  return due$.pipe(
    map(() => chooseShed(parts.running(), parts.facts())),
    filter((shedding) => shedding.shed),
    map((shedding): NodeInput => ({
      type: 'OwnerFact',
      item: shedding.item,
      fact: { type: 'MoveAsked', reason: shedding.reason, to: null, shun: shedding.shun },
    })),
  );
}
