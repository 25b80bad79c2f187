/**
 * Creates a running node from its ports. The journal is read first, and the number of this boot is written before
 * anything is published; then the context is created and the stages are wired in the order in which a sample and an
 * item pass through them.
 */
import { catchUp } from '../core/identity/catch-up.js';
import { countOpen } from '../core/identity/choose-identity.js';
import { writeItemRecord } from '../core/owner/item-record.js';
import { itemKey } from '../core/owner/owned-item.js';
import { guestKey } from '../core/receiver/guest-name.js';
import type { NodeSettings } from '../pipelines/settings.js';
import { wireInputs } from './wire-inputs.js';
import { wireDecisions } from './wire-decisions.js';
import { wirePublishing } from './wire-publishing.js';
import type { NodePorts } from './ports.js';
import {
  BOOT_KEY,
  IDENTITY_KEY,
  MACHINE_KEY,
  recoverJournal,
  type JournalIdentity,
  type RecoveredJournal,
} from './recover-journal.js';
import { replayJournal } from './replay-journal.js';
import type { RunningNode } from './running-node.js';
import { createRunningNode } from './create-running-node.js';
import { createContext } from './create-context.js';

/** Called with the node, or with the reason why it cannot start; in that case nothing was published. */
export type NodeStarted = (error: Error | undefined, node?: RunningNode) => void;

/** Starts a node. */
export function createNode(ports: NodePorts, settings: NodeSettings, done: NodeStarted): void {
  ports.journal.load((loadError, entries, faults) => {
    if (loadError !== undefined) return done(loadError);
    const recovered = recoverJournal(entries, settings.machineBoot, ports.clock.wall());
    const fault = findIdentityFault(settings, recovered);
    if (fault !== undefined) return done(new Error(fault));
    persistBoot(
      ports,
      settings,
      applyKnown({ ...recovered, faults: [...recovered.faults, ...faults] }, settings),
      done,
    );
  });
}

/** The caller has chosen the id that the journal names. Work is never taken over under another id. */
function findIdentityFault(
  { id, base }: NodeSettings,
  { identity, items, guests }: RecoveredJournal,
): string | undefined {
  if (identity === undefined) return undefined;
  if (identity.id !== id) return `the journal belongs to node ${identity.id}, not to ${id}`;
  // A node may join another mesh only without open work.
  if (identity.base === base || countOpen({ items, guests }) === 0) return undefined;
  return `the journal belongs to the mesh below the topic ${identity.base}, not to the one below ${base}`;
}

function persistBoot(ports: NodePorts, settings: NodeSettings, recovered: RecoveredJournal, done: NodeStarted): void {
  const marks = [
    { key: BOOT_KEY, value: recovered.boot },
    { key: IDENTITY_KEY, value: describeIdentity(settings, recovered) },
    // While the machine's boot cannot be read, the last known one is kept.
    ...(settings.machineBoot === '' ? [] : [{ key: MACHINE_KEY, value: settings.machineBoot }]),
    // In the same write: from the next start on, nothing shows any more that the journal was an older copy.
    ...(settings.known === undefined
      ? []
      : recovered.items.map((item) => ({ key: itemKey(item.spec.id), value: writeItemRecord(item) }))),
    // In the same write: once this boot of the machine is recorded, nothing shows any more that an earlier one ended.
    ...(recovered.machineRestarted || settings.known !== undefined
      ? recovered.guests.map((guest) => ({ key: guestKey(guest), value: guest }))
      : []),
  ];
  ports.journal.write(marks, (error) => {
    if (error !== undefined) return done(error);
    ports.transfer.start((started) => {
      if (started.ok) done(undefined, runNode(ports, settings, recovered));
      else done(new Error(started.reason));
    });
  });
}

/** What the mesh knows beyond this journal takes precedence. */
function applyKnown(recovered: RecoveredJournal, { known }: NodeSettings): RecoveredJournal {
  if (known === undefined) return recovered;
  const { items, guests } = catchUp(recovered.items, recovered.guests, known);
  return { ...recovered, items, guests, boot: Math.max(recovered.boot, known.boot + 1) };
}

function describeIdentity({ id, base, idFromHost }: NodeSettings, { identity }: RecoveredJournal): JournalIdentity {
  return { fromHost: idFromHost ?? false, former: [], ...identity, id, base };
}

function runNode(ports: NodePorts, settings: NodeSettings, recovered: RecoveredJournal): RunningNode {
  const context = createContext(ports, settings, recovered);
  wireInputs(context, ports, recovered.faults);
  wireDecisions(context);
  const publishing = wirePublishing(context);
  const node = createRunningNode(context, ports, publishing);
  replayJournal(context, recovered);
  publishing.publishAll();
  ports.bus.connect();
  ports.door?.open((fault) => {
    if (fault === undefined) return;
    context.log.log(
      'warn',
      `no local socket: ${fault}; commands on this machine reach the node only through the broker`,
    );
  });
  context.begin();
  return node;
}
