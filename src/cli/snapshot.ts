/** One snapshot of the mesh for a command: connect, wait for the retained messages, disconnect. */
import { firstValueFrom } from 'rxjs';
import { composeClient, type Absence, type Client, type ClientOptions } from '../compose/client.js';
import type { Config } from '../config/config.js';
import { meshView } from '../observe/mesh-view.js';
import type { MeshSnapshot } from '../observe/mesh-model.js';

/** Creates a client of the configured broker and of the local socket of this machine's node. */
export function openClient(config: Config): Client {
  return composeClient({ ...describeBroker(config), stateDir: config.state_dir });
}

/** Creates a client of the broker alone, for requests to other nodes: the local socket reaches only the own node. */
export function openBrokerClient(config: Config): Client {
  return composeClient(describeBroker(config));
}

function describeBroker({ broker, base, id, username, password, ca_file }: Config): ClientOptions {
  return { broker, base, id, username, password, caFile: ca_file };
}

/** The mesh at one point in time, and where the data came from. */
export interface Snapshot extends MeshSnapshot {
  /** Set while the broker is away: the snapshot then covers only this machine's node. */
  readonly absence: Absence | undefined;
  /** Why the local socket of this machine's node could not be used. */
  readonly nodeFault: string | undefined;
}

/** Takes one snapshot. Rejects with BrokerUnreachable. */
export async function takeSnapshot(config: Config): Promise<Snapshot> {
  const client = openClient(config);
  const members = meshView({ ...client, rules: { offlineAfterMs: config.state.offline_after_ms } });
  const settled = firstValueFrom(members.settled$);
  try {
    await Promise.race([client.connect(), settled]);
    const snapshot = await settled;
    const absence = await firstValueFrom(client.absence$);
    return { ...snapshot, absence, nodeFault: client.nodeFault() };
  } finally {
    // If `settled$` ends without a value, the rejection has already been reported by the `await` above.
    settled.catch(() => {});
    members.stop();
    await client.close();
  }
}
