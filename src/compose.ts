/**
 * Puts a node together: the one place that picks adapters. What may load slowly is loaded here and not by the commands
 * that do not need it.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createMqttBus } from './bus/mqtt-bus.js';
import { createCheckpoint } from './checkpoint/create-checkpoint.js';
import type { Survey } from './checkpoint/checkpoint.js';
import { createSystemClock } from './clock/system-clock.js';
import type { Config } from './config/config.js';
import { createContainers } from './container/create-containers.js';
import { withContainers } from './container/with-containers.js';
import { toNodeSettings } from './config/node-settings.js';
import { checkIdFree } from './node/id-clash.js';
import { loadIdentity } from './identity/load-identity.js';
import { createLevelJournal } from './journal/level-journal.js';
import { describeMachine, readMachineRun } from './machine-facts.js';
import { createNode } from './node/create-node.js';
import type { NodePorts } from './node/ports.js';
import type { RunningNode } from './node/running-node.js';
import { formatTopic } from './protocol/topics.js';
import { isGuardProcess } from './run/guard-process.js';
import { createProcessRunner } from './run/process-runner.js';
import { createSense } from './sense/create-sense.js';
import { parseMetric } from './sense/metric.js';
import { createThrottle } from './throttle/create-throttle.js';
import { createHttpsTransfer } from './transfer/https-transfer.js';
import { createWorkspace } from './transfer/workspace.js';

/** A node with its adapters. */
export interface ComposedNode {
  readonly node: RunningNode;
  stop(): Promise<void>;
}

/**
 * Makes and starts the node of a configuration. Rejects with IdTaken, JournalHeld, KeyFileError, or an error that says what it
 * could not open; the broker need not be there.
 */
export async function composeNode(config: Config): Promise<ComposedNode> {
  const identity = loadIdentity(config.state_dir);
  const clock = createSystemClock();
  const metric = parseMetric(config.sense.metric);
  if (!metric.ok) throw new TypeError(`sense.metric ${metric.reason}`);
  await checkIdFree(createProbeBus(config), config.base, config.id, identity.publicKey);
  const criu = createCheckpoint({ criu: config.criu ?? '' });
  const containers = createContainers(criu);
  const checkpoint = withContainers(criu, containers);
  // criu takes a while to look at the kernel; the journal and the broker are no quicker.
  const survey = new Promise<Survey>((resolve) => checkpoint.survey(resolve));
  const journal = await createLevelJournal({ directory: `${config.state_dir}/journal`, sync: config.journal.sync });
  const ports: NodePorts = {
    clock,
    identity,
    journal,
    bus: createNodeBus(config),
    runner: createProcessRunner({ clock, spares: `${config.state_dir}/spares`, checkpoint, containers }),
    sense: createSense({
      metric: metric.metric,
      clock,
      cpus: config.cpus,
      loadMs: config.sense.load_every_ms,
      processesMs: config.sense.processes_every_ms,
    }),
    transfer: createHttpsTransfer({
      tls: identity.tls,
      lastPortFile: join(config.state_dir, 'transfer-port'),
      ...config.transfer,
    }),
    workspace: createWorkspace(config.state_dir),
    checkpoint,
    throttle: createThrottle({
      clock,
      tag: config.id,
      methods: config.scum.throttle === 'off' ? [] : config.scum.throttle_methods,
      isGuard: isGuardProcess,
    }),
  };
  const node = await startNode(await breakPorts(ports, config.base), config, await survey);
  return { node, stop: () => new Promise((resolve) => node.stop(resolve)) };
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

/** A bus that only looks: under a client id of its own, so that it throws nobody out. */
function createProbeBus(config: Config): NodePorts['bus'] {
  const { base, id } = config;
  return createMqttBus({
    url: config.broker,
    clientId: `${base.replaceAll('/', '-')}-${id}-look-${randomBytes(4).toString('hex')}`,
    username: config.username,
    password: config.password,
    caFile: config.ca_file,
  });
}

async function startNode(ports: NodePorts, config: Config, survey: Survey): Promise<RunningNode> {
  const machine = await describeMachine();
  const throttles = ports.throttle?.methods.map((method) => `throttle-${method}`) ?? [];
  const abilities = [...machine.abilities, ...throttles, ...survey.abilities];
  const settings = toNodeSettings(config, { ...machine, abilities }, await readMachineRun(), process.pid);
  return new Promise((resolve, reject) => {
    createNode(ports, settings, (error, node) => {
      if (node !== undefined) return resolve(node);
      ports.journal.close(() => reject(error ?? new Error('the node did not start')));
    });
  });
}
