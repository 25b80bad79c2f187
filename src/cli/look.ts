/** One look at the mesh for a command: connect, wait for what is retained, disconnect. */
import { firstValueFrom } from 'rxjs';
import { composeClient, type Absence, type Client, type ClientOptions } from '../compose-client.js';
import type { Config } from '../config/config.js';
import { meshView } from '../observe/mesh-view.js';
import type { MeshSnapshot } from '../observe/mesh-picture.js';

/** Makes a client of the configured broker, and of the node of this machine that the command speaks for. */
export function openClient(config: Config): Client {
  return composeClient({ ...describeBroker(config), stateDir: config.state_dir });
}

/** Makes a client that has no other way than the broker: what is for another node cannot take the local one. */
export function openBrokerClient(config: Config): Client {
  return composeClient(describeBroker(config));
}

function describeBroker({ broker, base, id, username, password, ca_file }: Config): ClientOptions {
  return { broker, base, id, username, password, caFile: ca_file };
}

/** The mesh at one moment, and how it was seen. */
export interface Look extends MeshSnapshot {
  /** The broker is away: this is what the own node says of itself. */
  readonly absence: Absence | undefined;
  /** Why the own node could not be spoken to on this machine. */
  readonly nodeFault: string | undefined;
}

/** Looks once. Rejects with BrokerUnreachable. */
export async function lookOnce(config: Config): Promise<Look> {
  const client = openClient(config);
  const view = meshView({ ...client, rules: { offlineAfterMs: config.state.offline_after_ms } });
  const settled = firstValueFrom(view.settled$);
  try {
    await Promise.race([client.connect(), settled]);
    const snapshot = await settled;
    const absence = await firstValueFrom(client.absence$);
    return { ...snapshot, absence, nodeFault: client.nodeFault() };
  } finally {
    // A settled$ that never came fails here, after whoever waited for it has been told why.
    settled.catch(() => {});
    view.stop();
    await client.close();
  }
}
