/** Wires what moves external processes: the fit checks between members, and the moves. */
import { createFitChecks } from '../pipelines/processes/fit-check.js';
import type { NodeInput } from '../pipelines/inputs.js';
import { createExternalMoves } from '../pipelines/processes/move-external.js';
import type { NodePorts } from './ports.js';
import { shedContext } from './decision-context.js';
import { acceptsOwner } from '../core/receiver/policy.js';
import type { NodeContext } from './context.js';

/** Returns the handler for the inputs of both. Pending checks end with the node. */
export function wireExternalMoves(
  context: NodeContext,
  ports: Pick<NodePorts, 'checkpoint' | 'workspace'>,
): (input: NodeInput) => void {
  const { settings, clock, nodeState, retired, guestIndex, publisher, birth } = context;
  const { push } = context.inbox;
  const { id: self } = settings;
  const { checkpoint, workspace } = ports;
  const checks = createFitChecks({
    self,
    boot: birth.boot,
    clock,
    checkpoint,
    publisher,
    guestDirectory: (owner) => workspace.guestDirectory(owner, 'fit', 1),
    accepts: (owner) => acceptsOwner(nodeState.acceptance(), owner),
    push,
  });
  const moves = createExternalMoves(
    {
      self,
      pid: settings.pid,
      brokerPort: settings.brokerPort,
      info: birth,
      members: context.members,
      mesh: context.reach.rules,
      clock,
      checkpoint,
      guests: context.heldGuests,
      imageDirectory: (item) => workspace.guestDirectory(self, item, 1),
      isKnownItem: (item) => context.ownedItems.has(item) || retired.has(item),
      journalFault: () => nodeState.journalFault,
      belongsToRun: (pid) => guestIndex.findByPid(pid) !== undefined,
      shedding: () => shedContext(context),
      paceTo: context.moves.paceTo,
      push,
    },
    checks,
  );
  context.live(context.inbox.inputs$).subscribe({ complete: checks.close });
  return (input) => {
    checks.handle(input);
    moves.handle(input);
  };
}
