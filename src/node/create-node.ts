/**
 * Ports in, a running node out. The journal is read first, and the number of this run is written before anything is said;
 * then the workbench is laid out and the stages are joined in the order in which a sample and an item pass through them.
 */
import { guestKey } from '../core/receiver/guest.js';
import type { NodeSettings } from '../pipelines/settings.js';
import { joinInputs } from './join-inputs.js';
import { joinLooks } from './join-looks.js';
import { joinWords } from './join-words.js';
import type { NodePorts } from './ports.js';
import { BOOT_KEY, MACHINE_KEY, restore, type Restored } from './restore.js';
import { resumeWork } from './resume-work.js';
import type { RunningNode } from './running-node.js';
import { createSight } from './sight.js';
import { layWorkbench } from './workbench.js';

/** Called with the node, or with the reason why it cannot start; in that case nothing was said. */
export type NodeStarted = (error: Error | undefined, node?: RunningNode) => void;

/** Starts a node. */
export function createNode(ports: NodePorts, settings: NodeSettings, done: NodeStarted): void {
  ports.journal.load((loadError, entries, faults) => {
    if (loadError !== undefined) return done(loadError);
    const restored = restore(entries, settings.machineRun, ports.clock.wall());
    numberRun(ports, settings, { ...restored, faults: [...restored.faults, ...faults] }, done);
  });
}

function numberRun(ports: NodePorts, settings: NodeSettings, restored: Restored, done: NodeStarted): void {
  const marks = [
    { key: BOOT_KEY, value: restored.boot },
    { key: MACHINE_KEY, value: settings.machineRun },
    // With the same write: once this run of the machine is known, nothing tells any more that an earlier one ended.
    ...(restored.machineRestarted ? restored.guests.map((guest) => ({ key: guestKey(guest), value: guest })) : []),
  ];
  ports.journal.write(marks, (error) => {
    if (error !== undefined) return done(error);
    ports.transfer.start((started) => {
      if (started.ok) done(undefined, runNode(ports, settings, restored));
      else done(new Error(started.reason));
    });
  });
}

function runNode(ports: NodePorts, settings: NodeSettings, restored: Restored): RunningNode {
  const bench = layWorkbench(ports, settings, restored);
  joinInputs(bench, ports);
  joinLooks(bench);
  const words = joinWords(bench);
  const node = createSight(bench, ports, words);
  resumeWork(bench, restored);
  words.sayAll();
  ports.bus.connect();
  bench.begin();
  return node;
}
