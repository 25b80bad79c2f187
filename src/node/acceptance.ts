/**
 * Whom this node works for: what its policy says, and what stands in the way of an item that was claimed and then acked.
 */
import type { Condition } from '../pipelines/condition.js';
import type { NodeSettings } from '../pipelines/settings.js';

/** Why an acked item of this owner cannot be taken after all, although it was claimed. */
export function findAckObstacle(settings: NodeSettings, condition: Condition, owner: string): string | undefined {
  if (condition.draining) return 'it is draining';
  if (condition.journalFault !== undefined) return `its journal cannot be written: ${condition.journalFault}`;
  return acceptsOwner(settings, condition, owner) ? undefined : `it accepts no work of ${owner}`;
}

/** Whether the node's policy lets it work for this owner; for itself it always works. */
export function acceptsOwner(settings: NodeSettings, condition: Condition, owner: string): boolean {
  if (owner === settings.id) return true;
  if (settings.accept === 'nothing' || !condition.accepting) return false;
  return settings.acceptFrom.includes('*') || settings.acceptFrom.includes(owner);
}
