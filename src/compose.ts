/**
 * Puts a node together: the one place that picks adapters. What may load slowly is loaded here and not by the commands
 * that do not need it.
 */
import { join } from 'node:path';
import { createMqttBus } from './bus/mqtt-bus.js';
import { createSocketDoor } from './bus/socket-door.js';
import { createCheckpoint } from './checkpoint/create-checkpoint.js';
import type { Survey } from './checkpoint/checkpoint.js';
import { createSystemClock } from './clock/system-clock.js';
import { openIdentity, type OpenedIdentity } from './compose-identity.js';
import { openJournal } from './compose-journal.js';
import type { Config } from './config/config.js';
import type { LoadedConfig } from './config/load-config.js';
import { createContainers } from './container/create-containers.js';
import { withContainers } from './container/with-containers.js';
import { toNodeSettings, toOutputRules } from './config/node-settings.js';
import { loadIdentity } from './identity/load-identity.js';
import { amountOf } from './core/disk-room.js';
import { checkStateFormat } from './journal/state-format.js';
import { describeMachine, readMachineRun, readVersion } from './machine-facts.js';
import { createNode } from './node/create-node.js';
import type { NodePorts } from './node/ports.js';
import { createDiskReader } from './os/disk-space.js';
import type { RunningNode } from './node/running-node.js';
import { formatTopic } from './protocol/topics.js';
import type { Suspicion } from './pipelines/twin-watch.js';
import { isGuardProcess } from './run/guard-process.js';
import { createProcessRunner } from './run/process-runner.js';
import { createSense } from './sense/create-sense.js';
import { parseMetric, type Metric } from './sense/metric.js';
import { createThrottle } from './throttle/create-throttle.js';
import { createHttpsDirect } from './transfer/https-direct.js';
import { createHttpsTransfer } from './transfer/https-transfer.js';
import { createPeerClient } from './transfer/peer-client.js';
import { createPeerListener } from './transfer/peer-listener.js';
import { createWorkspace } from './transfer/workspace.js';

/** A node with its adapters. */
export interface ComposedNode {
  readonly node: RunningNode;
  /** As it is in force: the id is the one that the state directory belongs to. */
  readonly config: Config;
  /** What people should know of the id, for the log. */
  readonly notes: readonly string[];
  stop(): Promise<void>;
}

/** What a node is made of: the configuration, and who said what of it. */
export type NodeOrder = Pick<LoadedConfig, 'config' | 'origins'> & {
  /** Says a line to people while the node is not there yet. */
  tell?(text: string): void;
  /** It stopped because it may have a twin: see `compose-twin.ts`. */
  readonly suspected?: Suspicion | undefined;
  /** Calls off a start that waits. */
  readonly signal?: AbortSignal | undefined;
  /** It can be renamed while it runs: whoever started it starts it again under the new id. */
  readonly renames?: boolean;
};

/**
 * Makes and starts the node of a configuration. Rejects with IdentityConflict, IdTaken, TwinFound, JournalHeld, KeyFileError,
 * StateFormatError, or an error that says what it could not open; the broker need not be there.
 */
export async function composeNode(order: NodeOrder): Promise<ComposedNode> {
  const { state_dir } = order.config;
  // Before anything is made in it: it may be a newer version's.
  checkStateFormat(state_dir, await readVersion());
  const identity = loadIdentity(state_dir);
  const metric = parseMetric(order.config.sense.metric);
  if (!metric.ok) throw new TypeError(`sense.metric ${metric.reason}`);
  const journal = await openJournal(order.config);
  try {
    const { signal, suspected, tell = () => undefined } = order;
    const opened = await openIdentity({ loaded: order, identity, journal, tell, signal, suspected });
    return await startComposed(opened, { identity, journal, metric: metric.metric, renames: order.renames ?? false });
  } catch (error) {
    await new Promise<void>((resolve) => journal.close(resolve));
    throw error;
  }
}

interface Foundations {
  readonly identity: ReturnType<typeof loadIdentity>;
  readonly journal: NodePorts['journal'];
  readonly metric: Metric;
  readonly renames: boolean;
}

async function startComposed(opened: OpenedIdentity, foundations: Foundations): Promise<ComposedNode> {
  const { config, notes } = opened;
  const { identity, journal, metric } = foundations;
  const clock = createSystemClock();
  const criu = createCheckpoint({ criu: config.criu ?? '' });
  const containers = createContainers(criu);
  const checkpoint = withContainers(criu, containers);
  // criu takes a while to look at the kernel; the journal and the broker are no quicker.
  const survey = new Promise<Survey>((resolve) => checkpoint.survey(resolve));
  const listener = createPeerListener({
    tls: identity.tls,
    lastPortFile: join(config.state_dir, 'transfer-port'),
    ...config.transfer,
  });
  const ports: NodePorts = {
    clock,
    identity,
    journal,
    bus: createNodeBus(config),
    door: createSocketDoor({
      stateDir: config.state_dir,
      node: config.id,
      base: config.base,
      broker: config.broker,
    }),
    runner: createProcessRunner({
      clock,
      spares: `${config.state_dir}/spares`,
      checkpoint,
      containers,
      output: toOutputRules(config),
    }),
    sense: createSense({
      metric,
      clock,
      cpus: config.cpus,
      loadMs: config.sense.load_every_ms,
      processesMs: config.sense.processes_every_ms,
      diskPath: config.state_dir,
    }),
    transfer: createHttpsTransfer({
      listener,
      client: createPeerClient({ tls: identity.tls }),
      sealer: identity.sealer,
      publicKey: identity.publicKey,
      room: measureRoom(config),
    }),
    direct: createHttpsDirect({ listener, client: createPeerClient({ tls: identity.tls }) }),
    workspace: createWorkspace(config.state_dir),
    checkpoint,
    throttle: createThrottle({
      clock,
      tag: config.id,
      methods: config.scum.throttle === 'off' ? [] : config.scum.throttle_methods,
      isGuard: isGuardProcess,
    }),
  };
  const node = await startNode(await breakPorts(ports, config.base), opened, await survey, foundations.renames);
  return { node, config, notes, stop: () => new Promise((resolve) => node.stop(resolve)) };
}

/** What may still be written below the state directory without touching its reserve. */
function measureRoom(config: Config): () => Promise<number> {
  const read = createDiskReader(config.state_dir);
  const { reserve } = toOutputRules(config);
  return async () => {
    const { freeBytes, totalBytes } = await read();
    return freeBytes - amountOf(reserve, totalBytes);
  };
}

/** Tests make a node die at a step of their choice. */
async function breakPorts(ports: NodePorts, base: string): Promise<NodePorts> {
  const step = process.env['TRITMESH_STOP_AT'];
  if (step === undefined) return ports;
  const { stopAt } = await import('./compose-stop-at.js');
  return stopAt(ports, base, step);
}

function createNodeBus(config: Config): NodePorts['bus'] {
  const { base, id } = config;
  return createMqttBus({
    url: config.broker,
    clientId: `${base.replaceAll('/', '-')}-${id}`,
    username: config.username,
    password: config.password,
    caFile: config.ca_file,
    will: { topic: formatTopic(base, { kind: 'availability', node: id }), payload: 'offline' },
  });
}

async function startNode(
  ports: NodePorts,
  { config, idFromHost, twin, known }: OpenedIdentity,
  survey: Survey,
  renames: boolean,
): Promise<RunningNode> {
  const machine = await describeMachine();
  const throttles = ports.throttle?.methods.map((method) => `throttle-${method}`) ?? [];
  const abilities = [...machine.abilities, ...throttles, ...survey.abilities];
  const settings = {
    ...toNodeSettings(config, { ...machine, abilities }, await readMachineRun(), process.pid),
    idFromHost,
    renames,
    twin,
    known,
  };
  return new Promise((resolve, reject) => {
    createNode(ports, settings, (error, node) => {
      if (node === undefined) reject(error ?? new Error('the node did not start'));
      else resolve(node);
    });
  });
}
