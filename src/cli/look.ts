/** One look at the mesh for a command: connect, wait for what is retained, disconnect. */
import { firstValueFrom } from 'rxjs';
import { composeClient, type Client } from '../compose-client.js';
import type { Config } from '../config/config.js';
import { meshView } from '../observe/mesh-view.js';
import type { MeshSnapshot } from '../observe/mesh-picture.js';

/** Makes a client of the configured broker. */
export function openClient(config: Config): Client {
  const { broker, base, id, username, password, ca_file } = config;
  return composeClient({ broker, base, id, username, password, caFile: ca_file });
}

/** Looks once. Rejects with BrokerUnreachable. */
export async function lookOnce(config: Config): Promise<MeshSnapshot> {
  const client = openClient(config);
  const view = meshView({ ...client, rules: { offlineAfterMs: config.state.offline_after_ms } });
  const settled = firstValueFrom(view.settled$);
  try {
    await Promise.race([client.connect(), settled]);
    return await settled;
  } finally {
    // A settled$ that never came fails here, after whoever waited for it has been told why.
    settled.catch(() => {});
    view.stop();
    await client.close();
  }
}
