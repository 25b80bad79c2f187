/**
 * A machine with a node on it: it starts the node from what is on its disk, ends it without a word, and starts it again. The
 * node is the very same code that runs in earnest; only its ports are simulated.
 */
import { interval, map, of } from 'rxjs';
import type { Bus } from '../bus/bus.js';
import type { Identity } from '../identity/identity.js';
import { createNode } from '../node/create-node.js';
import type { NodePorts } from '../node/ports.js';
import type { RunningNode } from '../node/running-node.js';
import { watchSteps } from '../node/steps.js';
import type { NodeSettings } from '../pipelines/settings.js';
import type { Codec } from '../protocol/codec.js';
import { formatTopic } from '../protocol/topics.js';
import type { Sense } from '../sense/sense.js';
import type { Host } from './host.js';
import type { Network } from './network.js';
import type { Random } from './random.js';
import type { BrokerDoor } from './sim-broker.js';
import { createSimBus } from './sim-bus.js';
import { createSimIdentity } from './sim-identity.js';
import type { SimDisk } from './sim-journal.js';
import type { SimMachine } from './sim-machine.js';
import { createSimRunner, type TakesMs } from './sim-runner.js';
import { createSimTransfer, createSimWorkspace, type Exchange } from './sim-transfer.js';

/** What a simulated machine is made of. */
export interface SimNodeParts {
  readonly host: Host;
  readonly disk: SimDisk;
  readonly machine: SimMachine;
  readonly broker: BrokerDoor;
  readonly network: Network;
  readonly exchange: Exchange;
  readonly random: Random;
  readonly settings: NodeSettings;
  readonly takesMs: TakesMs;
  /** In place of the simulated signatures and of the codec, for meshes of many nodes. */
  readonly identity?: Identity;
  readonly codec?: Codec;
  /** The load ratio at this moment. */
  ratio(): number;
  /** How often the load is sensed, ms. */
  readonly senseMs: number;
  later(delayMs: number, act: () => void): void;
  /** Told when a node runs. */
  started(node: RunningNode): void;
  /** Told of each step that the node takes, as `watchSteps` names it; it may let the node die then and there. */
  readonly reached?: (step: string) => void;
}

/** A machine with a node. */
export interface SimNode {
  readonly id: string;
  readonly host: Host;
  readonly disk: SimDisk;
  readonly machine: SimMachine;
  /** The running node; `undefined` while none runs. */
  readonly node: RunningNode | undefined;
  start(): void;
  /** SIGKILL: the processes it started live on. */
  crash(): void;
  losePower(): void;
}

const RETRY_MS = 1000;

/** Makes a machine whose node is not started yet. */
export function createSimNode(parts: SimNodeParts): SimNode {
  const { host, disk, machine, broker, exchange } = parts;
  const { id, base } = parts.settings;
  let node: RunningNode | undefined;
  let boots = 1;

  function start(): void {
    if (host.life !== 0) return;
    const life = host.begin();
    const clock = host.clock(life);
    const random = parts.random.split(`life ${life}`);
    const identity = parts.identity ?? createSimIdentity(id);
    const ports: NodePorts = {
      clock,
      identity,
      codec: parts.codec,
      bus: openBus(life),
      journal: disk.open(life),
      runner: createSimRunner(machine, life, random, parts.takesMs),
      transfer: createSimTransfer({
        machine,
        life,
        network: parts.network,
        exchange,
        random,
        publicKey: identity.publicKey,
      }),
      workspace: createSimWorkspace(machine, life, random),
      sense: senseLoad(life),
    };
    createNode(watch(ports, life), { ...parts.settings, machineRun: String(boots) }, (_error, running) => {
      // It may have died in the midst of its start.
      if (host.life !== life) return;
      if (running === undefined) return retry();
      node = running;
      parts.started(running);
    });
  }

  function watch(ports: NodePorts, life: number): NodePorts {
    const { reached } = parts;
    if (reached === undefined) return ports;
    return watchSteps(ports, base, (step) => {
      if (host.life === life) reached(step);
    });
  }

  function openBus(life: number): Bus {
    const { network } = parts;
    const will = { topic: formatTopic(base, { kind: 'availability', node: id }), payload: 'offline' };
    return createSimBus({ host, life, broker, network, clientId: `${base}-${id}`, will });
  }

  function senseLoad(life: number): Sense {
    const { scheduler } = host.clock(life);
    const sample = (): {
      ratio: number;
      cpus: number;
      cpuPercent: number;
      memoryPercent: number;
      memoryBytes: number;
    } => ({
      ratio: parts.ratio(),
      cpus: parts.settings.info.cpus,
      cpuPercent: Math.min(100, parts.ratio() * 100),
      memoryPercent: 20,
      memoryBytes: parts.settings.info.memory_bytes,
    });
    return { load$: interval(parts.senseMs, scheduler).pipe(map(sample)), processes$: of([]) };
  }

  /** A disk that is full at the start: the machine's supervisor starts the node again after a while. */
  function retry(): void {
    end();
    parts.later(RETRY_MS, start);
  }

  function end(): void {
    node = undefined;
    host.end();
    disk.crash();
    broker.vanishFrom(id);
    for (const [url, served] of exchange) if (served.place === id) exchange.delete(url);
  }

  return {
    id,
    host,
    disk,
    machine,
    get node() {
      return node;
    },
    start,
    crash: end,
    losePower: () => {
      boots += 1;
      machine.losePower();
      end();
    },
  };
}
