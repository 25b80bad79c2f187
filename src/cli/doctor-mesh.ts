/** What `tritmesh doctor` looks at on the bus: the broker, this machine's node, and the clocks of the members. */
import type { Config } from '../config/config.js';
import type { MeshSnapshot } from '../observe/mesh-picture.js';
import type { Context } from './context.js';
import { checkCalls } from './doctor-calls.js';
import { checkDirectPath } from './direct-path.js';
import { checkOwnMachine } from './doctor-identity.js';
import { checkNode, checkPublishing } from './doctor-node.js';
import { broken, describeError, good, missing, type Finding } from './finding.js';
import { isStuck } from './render/run.js';
import { showText } from './render/words.js';
import { lookOnce, type Look } from './look.js';

/** How far a clock may be off: signed requests are taken for a short while only. */
const SKEW_MS_MAX = 30_000;

/** Looks once. */
export async function checkMesh(config: Config, record: Context['record']): Promise<readonly Finding[]> {
  let snapshot: Look;
  try {
    snapshot = await lookOnce(config);
  } catch (error) {
    return [broken('broker', describeError(error), BROKER_TODO)];
  }
  const { absence } = snapshot;
  if (absence !== undefined) {
    return [broken('broker', absence.reason, BROKER_TODO), await checkNode(config, snapshot), checkSocket(snapshot)];
  }
  const found = `${config.broker}, ${snapshot.sum.online} nodes online below ${config.base}`;
  const [publishing, node, machine, calls] = await Promise.all([
    checkPublishing(config),
    checkNode(config, snapshot),
    checkOwnMachine(config, record, snapshot),
    checkCalls(config, snapshot),
  ]);
  return [
    good('broker', found),
    publishing,
    node,
    ...machine,
    ...calls,
    ...checkStuck(snapshot),
    checkSocket(snapshot),
    checkDirectPath(config, snapshot),
    checkClocks(snapshot),
  ];
}

const BROKER_TODO = `start one with "tritmesh up" or "tritmesh broker", or name it with --broker, --username and --password-file`;

/** Items of this machine's node whose outputs are away. */
function checkStuck({ items }: MeshSnapshot): readonly Finding[] {
  const stuck = items.filter((item) => item.owner_online && isStuck(item));
  return stuck.map((item) =>
    missing(
      `item ${item.owner}/${item.item}`,
      showText(item.reason),
      `make a way, then: tritmesh fetch ${item.owner}/${item.item}`,
    ),
  );
}

/** Without it commands on this machine reach the node only as long as the broker is there. */
function checkSocket({ nodeFault }: Look): Finding {
  const what = 'local socket';
  if (nodeFault === undefined)
    return good(what, 'commands on this machine reach the node, with and without the broker');
  return missing(what, nodeFault, 'look into the log of the node for "no local socket", or run commands as its user');
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
