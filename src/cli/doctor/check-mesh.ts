/**
 * The checks of `tritmesh doctor` on the bus: the broker, this machine's node, its items, and the clocks of the
 * members.
 */
import type { Config } from '../../config/config.js';
import type { MeshSnapshot } from '../../observe/mesh-model.js';
import { describeError } from '../../os/errors.js';
import type { Context } from '../context.js';
import { checkCalls } from './check-calls.js';
import { checkDirectPath } from '../job/direct-path.js';
import { checkOwnMachine } from './check-identity.js';
import { checkNode, checkPublishing } from './check-node.js';
import { broken, good, missing, type Finding } from './finding.js';
import { isStuck } from '../render/run.js';
import { showText } from '../render/format.js';
import { takeSnapshot, type Snapshot } from '../snapshot.js';

/** How far a clock may be off, ms: signed requests are valid for a short time only. */
const SKEW_MS_MAX = 30_000;

/** Takes one snapshot of the mesh and checks it. */
export async function checkMesh(config: Config, record: Context['record']): Promise<readonly Finding[]> {
  let snapshot: Snapshot;
  try {
    snapshot = await takeSnapshot(config);
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

/** One finding for each item whose outputs cannot be reached. */
function checkStuck({ items }: MeshSnapshot): readonly Finding[] {
  const stuck = items.filter((item) => item.owner_online && isStuck(item));
  return stuck.map((item) =>
    missing(
      `item ${item.owner}/${item.item}`,
      showText(item.reason),
      `make it reachable, then: tritmesh fetch ${item.owner}/${item.item}`,
    ),
  );
}

/** Without the local socket, commands on this machine reach the node only through the broker. */
function checkSocket({ nodeFault }: Snapshot): Finding {
  const what = 'local socket';
  if (nodeFault === undefined)
    return good(what, 'commands on this machine reach the node, with and without the broker');
  return missing(what, nodeFault, 'search the log of the node for "no local socket", or run commands as its user');
}

/** A state from the future, or one long overdue from a node that is online, means that a clock is wrong. */
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
    `differs from the clock of ${off.join(', ')}`,
    'synchronise the clocks, for instance with NTP: signed requests are valid for a short time only',
  );
}

function readTime(state: object): number {
  return 'ts' in state && typeof state.ts === 'string' ? Date.parse(state.ts) : Number.NaN;
}
