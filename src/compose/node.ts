/**
 * Assembles a node: the one place that picks adapters. What loads slowly is imported here, away from the commands that
 * do not need it.
 */
import { join } from 'node:path';
import { createMqttBus } from '../bus/mqtt/mqtt-bus.js';
import { createSocketDoor } from '../bus/local/socket-door.js';
import { createCheckpoint } from '../checkpoint/create-checkpoint.js';
import type { Capabilities, Checkpoint } from '../checkpoint/checkpoint.js';
import { createSystemClock } from '../clock/system-clock.js';
import type { Containers } from '../container/containers.js';
import { readBootId } from '../os/boot-id.js';
import { openIdentity, type OpenedIdentity } from './identity.js';
import { openJournal } from './journal.js';
import type { Config } from '../config/config.js';
import type { LoadedConfig } from '../config/load-config.js';
import { createContainers } from '../container/create-containers.js';
import { withContainers } from '../container/with-containers.js';
import { toNodeSettings, toOutputRules } from '../config/node-settings.js';
import { loadIdentity } from '../identity/load-identity.js';
import { amountOf } from '../core/disk/disk-space.js';
import { checkStateFormat } from '../journal/state-format.js';
import { describeMachine, readVersion } from './machine-info.js';
import { createNode } from '../node/create-node.js';
import type { NodePorts } from '../node/ports.js';
import { createDiskReader } from '../os/disk-space.js';
import type { RunningNode } from '../node/running-node.js';
import { formatTopic } from '../protocol/topics.js';
import type { Suspicion } from '../pipelines/identity/twin-watch.js';
import { isLegacyGuard } from '../run/legacy/legacy-launcher.js';
import { createProcessRunner } from '../run/process-runner.js';
import { createSense } from '../sense/create-sense.js';
import { parseMetric, type Metric } from '../sense/metric.js';
import { createThrottle } from '../throttle/create-throttle.js';
import { createHttpsDirect } from '../transfer/direct/https-direct.js';
import { createHttpsTransfer } from '../transfer/https-transfer.js';
import { createPeerClient } from '../transfer/peer/peer-client.js';
import { createPeerListener } from '../transfer/peer/peer-listener.js';
import { createKnownDigests } from '../transfer/tree/known-digests.js';
import { createWorkspace } from '../transfer/workspace/workspace.js';

/** A node with its adapters. */
export interface ComposedNode {
  readonly node: RunningNode;
  /** The configuration in force; its id is the one that the state directory belongs to. */
  readonly config: Config;
  /** Sentences for the log about the id. */
  readonly notes: readonly string[];
  stop(): Promise<void>;
}

/** What to start a node from: the configuration, and the origin of each key. */
export type NodeOrder = Pick<LoadedConfig, 'config' | 'origins'> & {
  /** Shows people a line while the node has not started yet. */
  tell?(text: string): void;
  /** Set when the node stopped because it may have a twin: see `twin.ts`. */
  readonly suspected?: Suspicion | undefined;
  /** Cancels a start that is waiting. */
  readonly signal?: AbortSignal | undefined;
  /** It can be renamed while it runs: the caller starts it again under the new id. */
  readonly renames?: boolean;
};

/**
 * Creates and starts the node of a configuration. Rejects with IdentityConflict, IdTaken, TwinFound, JournalHeld,
 * KeyFileError, StateFormatError, or an error that says what it could not open; the broker need not be there.
 */
export async function composeNode(order: NodeOrder): Promise<ComposedNode> {
  const { state_dir } = order.config;
  // Before anything is created in it: it may belong to a newer version.
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
  const criu = createCheckpoint({ criu: config.criu ?? '' });
  const containers = createContainers(criu);
  const checkpoint = withContainers(criu, containers);
  // Probing the kernel with criu takes a while, so it runs alongside the setup of the other adapters.
  const capabilities = new Promise<Capabilities>((resolve) => checkpoint.capabilities(resolve));
  const ports = createPorts(config, foundations, checkpoint, containers);
  const node = await startNode(
    await addCrashPoint(ports, config.base),
    opened,
    await capabilities,
    foundations.renames,
  );
  return { node, config, notes, stop: () => new Promise((resolve) => node.stop(resolve)) };
}

/** Creates the adapters that the configuration asks for. */
function createPorts(
  config: Config,
  { identity, journal, metric }: Foundations,
  checkpoint: Checkpoint,
  containers: Containers,
): NodePorts {
  const clock = createSystemClock();
  const listener = createPeerListener({
    tls: identity.tls,
    lastPortFile: join(config.state_dir, 'transfer-port'),
    ...config.transfer,
  });
  const known = createKnownDigests();
  return {
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
      supervisors: join(config.state_dir, 'supervisors'),
      spares: join(config.state_dir, 'spares'),
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
      room: createSpaceReader(config),
      known,
    }),
    direct: createHttpsDirect({ listener, client: createPeerClient({ tls: identity.tls }) }),
    workspace: createWorkspace(config.state_dir, known),
    checkpoint,
    throttle: createThrottle({
      clock,
      tag: config.id,
      methods: config.scum.throttle === 'off' ? [] : config.scum.throttle_methods,
      isGuard: isLegacyGuard,
    }),
  };
}

/**
 * Returns a function that measures how many bytes may be written below the state directory without using its reserve.
 */
function createSpaceReader(config: Config): () => Promise<number> {
  const read = createDiskReader(config.state_dir);
  const { reserve } = toOutputRules(config);
  return async () => {
    const { freeBytes, totalBytes } = await read();
    return freeBytes - amountOf(reserve, totalBytes);
  };
}

/** Lets tests crash a node at a step of their choice. */
async function addCrashPoint(ports: NodePorts, base: string): Promise<NodePorts> {
  const step = process.env['TRITMESH_STOP_AT'];
  if (step === undefined) return ports;
  const { crashAt } = await import('./crash-point.js');
  return crashAt(ports, base, step);
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
  capabilities: Capabilities,
  renames: boolean,
): Promise<RunningNode> {
  const machine = await describeMachine();
  const throttles = ports.throttle?.methods.map((method) => `throttle-${method}`) ?? [];
  const abilities = [...machine.abilities, ...throttles, ...capabilities.abilities];
  const settings = {
    ...toNodeSettings(config, { ...machine, abilities }, readBootId(), process.pid),
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
