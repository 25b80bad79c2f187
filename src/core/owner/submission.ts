/** Decides whether a node accepts a submitted item. It becomes the owner of the item, and may run it itself. */
import type { Item } from '../../protocol/item.js';
import { explain, type Reason } from '../../protocol/reasons.js';
import { acceptsOwner, type AcceptanceContext } from '../receiver/policy.js';

/** What the decision depends on. */
export interface SubmissionContext extends AcceptanceContext {
  /** The id that the node is being renamed to; `undefined` if it is not. */
  readonly renamedTo: string | undefined;
}

/**
 * Why the item is not accepted, as a sentence for the person who submitted it; `undefined` if it is. `signedBy` is the
 * member that signed the request. A node does not become the owner of items from a member whose work it does not
 * accept. A node that drains becomes the owner of items as before: it only runs nothing itself, so they go to other
 * nodes, or wait until it takes work again.
 */
export function findSubmitObstacle(
  item: Pick<Item, 'inputs' | 'destination' | 'process'>,
  signedBy: string | undefined,
  context: SubmissionContext,
): Reason | undefined {
  const { self, journalFault, renamedTo } = context;
  if (journalFault !== undefined) return explain('journal-faulty', journalFault);
  if (renamedTo !== undefined) return explain('being-renamed', self, renamedTo);
  if (signedBy === self) return undefined;
  if (signedBy === undefined || !acceptsOwner(context, signedBy))
    return explain('asker-not-accepted', self, signedBy ?? 'a program that does not sign its requests');
  if (item.inputs.length > 0 || item.destination !== undefined) return explain('paths-of-others', self);
  if (item.process !== undefined) return explain('process-of-others', self);
  return undefined;
}
