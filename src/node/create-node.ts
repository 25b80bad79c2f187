/**
 * Ports in, a running node out. The journal is read first, and the number of this run is written before anything is said;
 * then the workbench is laid out and the stages are joined in the order in which a sample and an item pass through them.
 */
import { catchUp } from '../core/catch-up.js';
import { countOpen } from '../core/node-identity.js';
import { itemKey } from '../core/owner/owned-item.js';
import { guestKey } from '../core/receiver/guest.js';
import type { NodeSettings } from '../pipelines/settings.js';
import { createCaller } from './join-calls.js';
import { createCleaner } from './join-clean.js';
import { joinInputs } from './join-inputs.js';
import { joinLooks } from './join-looks.js';
import { joinWords } from './join-words.js';
import type { NodePorts } from './ports.js';
import { BOOT_KEY, IDENTITY_KEY, MACHINE_KEY, restore, type JournalIdentity, type Restored } from './restore.js';
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
    const fault = findIdentityFault(settings, restored);
    if (fault !== undefined) return done(new Error(fault));
    numberRun(ports, settings, learn({ ...restored, faults: [...restored.faults, ...faults] }, settings), done);
  });
}

/** Whoever starts a node has chosen its id by what the journal says; no work is ever taken up under another one. */
function findIdentityFault({ id, base }: NodeSettings, { identity, items, guests }: Restored): string | undefined {
  if (identity === undefined) return undefined;
  if (identity.id !== id) return `the journal is that of node ${identity.id}, not of ${id}`;
  // Another mesh is joined with nothing in hand only.
  if (identity.base === base || countOpen({ items, guests }) === 0) return undefined;
  return `the journal is of the mesh below ${identity.base}, not of the one below ${base}`;
}

function numberRun(ports: NodePorts, settings: NodeSettings, restored: Restored, done: NodeStarted): void {
  const marks = [
    { key: BOOT_KEY, value: restored.boot },
    { key: IDENTITY_KEY, value: describeIdentity(settings, restored) },
    // What was known of it before is kept while it cannot be read.
    ...(settings.machineRun === '' ? [] : [{ key: MACHINE_KEY, value: settings.machineRun }]),
    // With the same write: from the next start on, nothing tells any more that the journal was an older one.
    ...(settings.known === undefined
      ? []
      : restored.items.map((item) => ({ key: itemKey(item.item.item), value: item }))),
    // With the same write: once this run of the machine is known, nothing tells any more that an earlier one ended.
    ...(restored.machineRestarted || settings.known !== undefined
      ? restored.guests.map((guest) => ({ key: guestKey(guest), value: guest }))
      : []),
  ];
  ports.journal.write(marks, (error) => {
    if (error !== undefined) return done(error);
    ports.transfer.start((started) => {
      if (started.ok) done(undefined, runNode(ports, settings, restored));
      else done(new Error(started.reason));
    });
  });
}

/** What the mesh knows and this journal does not goes before everything else. */
function learn(restored: Restored, { known }: NodeSettings): Restored {
  if (known === undefined) return restored;
  const { items, guests } = catchUp(restored.items, restored.guests, known);
  return { ...restored, items, guests, boot: Math.max(restored.boot, known.boot + 1) };
}

function describeIdentity({ id, base, idFromHost }: NodeSettings, { identity }: Restored): JournalIdentity {
  return { fromHost: idFromHost ?? false, former: [], ...identity, id, base };
}

function runNode(ports: NodePorts, settings: NodeSettings, restored: Restored): RunningNode {
  const bench = layWorkbench(ports, settings, restored);
  joinInputs(bench, ports);
  bench.live(bench.inbox.inputs$).subscribe(createCaller(bench, ports));
  bench.live(bench.inbox.inputs$).subscribe(createCleaner(bench, ports, restored.faults));
  joinLooks(bench);
  const words = joinWords(bench);
  const node = createSight(bench, ports, words);
  resumeWork(bench, restored);
  words.sayAll();
  ports.bus.connect();
  ports.door?.open((fault) => {
    if (fault === undefined) return;
    bench.notes.say('warn', `no local socket: ${fault}; commands on this machine reach the node by the broker alone`);
  });
  bench.begin();
  return node;
}
