/**
 * The acceptance policy: which owners this node works for, which guests it sends away, and why it cannot take an item
 * after all that it has claimed.
 */
import { explain, type Reason } from '../../protocol/reasons.js';

/** What the policy depends on. */
export interface AcceptanceContext {
  readonly self: string;
  /** `nothing`: only its own work. */
  readonly accept: 'nothing' | 'commands';
  /** Owners whose work is accepted; `*` stands for all. */
  readonly acceptFrom: readonly string[];
  /** The switch `set/accept` is on. */
  readonly accepting: boolean;
  readonly draining: boolean;
  /** Why the journal cannot be written; `undefined` while it can. */
  readonly journalFault: string | undefined;
}

/** Whether the node accepts work from this owner. It always accepts its own. */
export function acceptsOwner(
  { self, accept, accepting, acceptFrom }: Pick<AcceptanceContext, 'self' | 'accept' | 'accepting' | 'acceptFrom'>,
  owner: string,
): boolean {
  if (owner === self) return true;
  if (accept === 'nothing' || !accepting) return false;
  return acceptFrom.includes('*') || acceptFrom.includes(owner);
}

/** Why an acked item of this owner cannot be taken after all; `undefined` if it can. */
export function findAckObstacle(context: AcceptanceContext, owner: string): Reason | undefined {
  if (context.draining) return explain('draining');
  if (context.journalFault !== undefined) return explain('journal-fault', context.journalFault);
  return acceptsOwner(context, owner) ? undefined : explain('owner-not-accepted', owner);
}

/** Whether a guest of this owner must leave: all guests while the node drains, those of others while it is renamed. */
export function isToLeave(
  { self, draining, isRenamed }: { readonly self: string; readonly draining: boolean; readonly isRenamed: boolean },
  owner: string,
): boolean {
  return draining || (isRenamed && owner !== self);
}
