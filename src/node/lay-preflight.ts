/**
 * Lays out what moves processes that tritmesh did not start: the questions between members, and the preflight.
 */
import { createFitAsks } from '../pipelines/fit-asks.js';
import type { NodeInput } from '../pipelines/inputs.js';
import { createPreflight } from '../pipelines/preflight.js';
import type { NodePorts } from './ports.js';
import { sheddingFacts } from './join-looks.js';
import { acceptsOwner } from './acceptance.js';
import type { Workbench } from './context.js';

/** Gives what takes the inputs of both. Questions end with the node. */
export function layPreflight(
  bench: Workbench,
  ports: Pick<NodePorts, 'checkpoint' | 'workspace'>,
): (input: NodeInput) => void {
  const { settings, clock, condition, host, own, retired, guests, speaker, birth } = bench;
  const { push } = bench.inbox;
  const { id: self } = settings;
  const { checkpoint, workspace } = ports;
  const asks = createFitAsks({
    self,
    boot: birth.boot,
    clock,
    checkpoint,
    speaker,
    guestDirectory: (owner) => workspace.guestDirectory(owner, 'fit', 1),
    accepts: (owner) => acceptsOwner(settings, condition, owner),
    push,
  });
  const preflight = createPreflight(
    {
      self,
      pid: settings.pid,
      brokerPort: settings.brokerPort,
      info: birth,
      view: bench.view,
      mesh: bench.reach.rules,
      clock,
      checkpoint,
      guests: host.ledger.states,
      imageDirectory: (item) => workspace.guestDirectory(self, item, 1),
      isKnownItem: (item) => own.ledger.states.has(item) || retired.has(item),
      journalFault: () => condition.journalFault,
      belongsToRun: (pid) => guests.findByPid(pid) !== undefined,
      shedding: () => sheddingFacts(bench),
      paceTo: bench.moves.paceTo,
      push,
    },
    asks,
  );
  bench.live(bench.inbox.inputs$).subscribe({ complete: asks.close });
  return (input) => {
    asks.take(input);
    preflight.take(input);
  };
}
