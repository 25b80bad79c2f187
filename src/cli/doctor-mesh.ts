/** What `tritmesh doctor` looks at on the bus: the broker, this machine's node, and the clocks of the members. */
import { loadSigner } from '../compose-client.js';
import type { Config } from '../config/config.js';
import type { MeshSnapshot } from '../observe/mesh-picture.js';
import { broken, describeError, good, missing, type Finding } from './finding.js';
import { lookOnce } from './look.js';

/** How far a clock may be off: signed requests are taken for a short while only. */
const SKEW_MS_MAX = 30_000;

/** Looks once. */
export async function checkMesh(config: Config): Promise<readonly Finding[]> {
  let snapshot: MeshSnapshot;
  try {
    snapshot = await lookOnce(config);
  } catch (error) {
    const todo = `start one with "tritmesh up" or "tritmesh broker", or name it with --broker, --username and --password-file`;
    return [broken('broker', describeError(error), todo)];
  }
  const found = `${config.broker}, ${snapshot.sum.online} nodes online below ${config.base}`;
  return [good('broker', found), await checkNode(config, snapshot), checkClocks(snapshot)];
}

async function checkNode(config: Config, { members }: MeshSnapshot): Promise<Finding> {
  const what = `node ${config.id}`;
  const member = members.find((one) => one.id === config.id);
  if (member === undefined || !member.online) {
    return missing(what, 'not online', 'start it with "tritmesh node"');
  }
  const signer = await loadSigner(config.state_dir, config.id).catch(() => undefined);
  const rejected = member.state?.rejected ?? 0;
  const found =
    rejected === 0 ? 'online' : `online; this run refused ${rejected} messages that it could not trust or read`;
  if (signer === undefined || signer.identity.publicKey === member.info?.key) return good(what, found);
  return broken(
    what,
    `online with another key than the one in ${config.state_dir}`,
    'name its state directory with --state-dir, or give this node another --id',
  );
}

/** A message cannot have been written after it was read: what looks so tells of a clock. */
function checkClocks({ members }: MeshSnapshot): Finding {
  const now = Date.now();
  const early = members.filter(
    (one) => one.online && one.state !== undefined && readTime(one.state) - now > SKEW_MS_MAX,
  );
  const late = members.filter(
    (one) => one.online && one.state !== undefined && now - readTime(one.state) > one.state.ttl_s * 1000 + SKEW_MS_MAX,
  );
  const off = [...early, ...late].map((one) => one.id);
  if (off.length === 0) return good('clock', new Date(now).toISOString());
  return broken(
    'clock',
    `differs from that of ${off.join(', ')}`,
    'set the clocks, with NTP for one: signed requests are taken for a short while only',
  );
}

function readTime(state: object): number {
  return 'ts' in state && typeof state.ts === 'string' ? Date.parse(state.ts) : Number.NaN;
}
