/**
 * A machine with a node on it: it starts the node from what is on its disk, ends it without a word, and starts it again. The
 * node is the very same code that runs in earnest; only its ports are simulated.
 */
import { interval, map, of, timer } from 'rxjs';
import type { Bus } from '../bus/bus.js';
import type { Identity } from '../identity/identity.js';
import { findNews, type KnownByMesh } from '../core/catch-up.js';
import { chooseIdentity } from '../core/node-identity.js';
import type { JournalEntry } from '../journal/journal.js';
import { createNode } from '../node/create-node.js';
import type { NodePorts } from '../node/ports.js';
import type { RunningNode } from '../node/running-node.js';
import { restore } from '../node/restore.js';
import { readSight } from './sim-sight.js';
import { watchSteps } from '../node/steps.js';
import type { NodeSettings } from '../pipelines/settings.js';
import type { Codec } from '../protocol/codec.js';
import { formatTopic } from '../protocol/topics.js';
import type { Sense } from '../sense/sense.js';
import type { Host } from './host.js';
import type { Network } from './network.js';
import type { Random } from './random.js';
import type { BrokerDoor } from './sim-broker.js';
import type { Direct } from '../transfer/direct.js';
import { createSimBus } from './sim-bus.js';
import { createSimDirect, type Lines } from './sim-direct.js';
import { createSimIdentity } from './sim-identity.js';
import type { SimDisk } from './sim-journal.js';
import type { SimMachine } from './sim-machine.js';
import { createSimRoom, type SimRoom } from './sim-room.js';
import { createSimRunner, type TakesMs } from './sim-runner.js';
import { createSimTransfer, createSimWorkspace, type Exchange } from './sim-transfer.js';

/** What a simulated machine is made of. */
export interface SimNodeParts {
  readonly host: Host;
  readonly disk: SimDisk;
  readonly machine: SimMachine;
  /** Without it there is room for everything. */
  readonly room?: SimRoom;
  /** Told of each fetch that found no room. */
  starved?(share: string): void;
  readonly broker: BrokerDoor;
  readonly network: Network;
  readonly exchange: Exchange;
  /** Without them nodes speak by the broker alone. */
  readonly lines?: Lines;
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
  /** What the broker keeps, as this machine finds it; `undefined` when it cannot be reached, or is not asked. */
  readonly peek?: () => ReadonlyMap<string, string> | undefined;
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
  readonly room: SimRoom;
  /** The running node; `undefined` while none runs. */
  readonly node: RunningNode | undefined;
  start(): void;
  /** SIGKILL: the processes it started live on. */
  crash(): void;
  losePower(): void;
  /** From its next start on, its host name gives another id. */
  renameHost(): void;
  /** Makes a snapshot of the machine's disk; gives what puts it back, with the machine off. */
  snapshot(): () => void;
}

const RETRY_MS = 1000;

/** Makes a machine whose node is not started yet. */
export function createSimNode(parts: SimNodeParts): SimNode {
  const { host, disk, machine, broker, exchange } = parts;
  const { id: place, base } = parts.settings;
  let hostName = place;
  let node: RunningNode | undefined;
  let boots = 1;
  const room =
    parts.room ??
    createSimRoom(
      machine.files,
      () => 0,
      () => false,
      () => 0,
    );

  function start(): void {
    if (host.life !== 0) return;
    const life = host.begin();
    const own = { ...parts.settings, id: chooseId(), machineRun: String(boots) };
    const clock = host.clock(life);
    const random = parts.random.split(`life ${life}`);
    const identity = parts.identity ?? createSimIdentity(place);
    const settings = { ...own, known: findKnown(own.id, identity) };
    const ports: NodePorts = {
      clock,
      identity,
      codec: parts.codec,
      bus: openBus(life, settings.id),
      journal: disk.open(life),
      runner: createSimRunner(machine, life, random, parts.takesMs),
      transfer: createSimTransfer({
        machine,
        life,
        network: parts.network,
        exchange,
        random,
        publicKey: identity.publicKey,
        room,
        starved: parts.starved,
      }),
      workspace: createSimWorkspace(machine, room, life, random),
      direct: openDirect(life, random, identity.publicKey),
      sense: senseLoad(life),
    };
    createNode(watch(ports, life), settings, (_error, running) => {
      // It may have died in the midst of its start.
      if (host.life !== life) return;
      if (running === undefined) return retry();
      node = running;
      parts.started(running);
    });
  }

  /** As a node in earnest does it: by what its journal says of whose it is. */
  function chooseId(): string {
    const { identity } = restore(readDisk(disk), '', 0);
    const asked = { id: hostName, idOrigin: undefined, base, baseOrigin: undefined };
    const choice = chooseIdentity(asked, identity, { items: [], guests: [] });
    return choice.ok ? choice.id : hostName;
  }

  /** As a node in earnest does it: by what the broker keeps that is signed with its own key. */
  function findKnown(id: string, identity: Identity): KnownByMesh | undefined {
    const retained = parts.peek?.();
    if (retained === undefined) return undefined;
    const seen = readSight(retained, { base, id, identity });
    const boot = seen.births.find((one) => one.id === id)?.boot ?? 0;
    return findNews({ boot, said: seen.said, statuses: seen.statuses }, restore(readDisk(disk), '', 0));
  }

  function watch(ports: NodePorts, life: number): NodePorts {
    const { reached } = parts;
    if (reached === undefined) return ports;
    return watchSteps(ports, base, (step) => {
      if (host.life === life) reached(step);
    });
  }

  function openBus(life: number, id: string): Bus {
    const { network } = parts;
    const will = { topic: formatTopic(base, { kind: 'availability', node: id }), payload: 'offline' };
    return createSimBus({ host, life, broker, network, clientId: `${base}-${id}`, will });
  }

  function openDirect(life: number, random: Random, publicKey: string): Direct | undefined {
    const { lines, network } = parts;
    return lines && createSimDirect({ host, life, network, lines, random: random.split('direct'), publicKey });
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
    // The meshes that policies are judged by have room for everything, and need not look.
    const disk$ = parts.room === undefined ? undefined : timer(0, parts.senseMs, scheduler).pipe(map(room.told));
    return { load$: interval(parts.senseMs, scheduler).pipe(map(sample)), processes$: of([]), disk$ };
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
    broker.vanishFrom(host.id);
    parts.lines?.stations.delete(host.id);
    for (const [url, served] of exchange) if (served.place === host.id) exchange.delete(url);
  }

  return {
    id: place,
    host,
    disk,
    machine,
    room,
    get node() {
      return node;
    },
    start,
    crash: end,
    snapshot: () => {
      const contents = new Map(disk.contents);
      const files = new Map(machine.files);
      return () => {
        boots += 1;
        machine.losePower();
        end();
        disk.setBack(contents);
        machine.files.clear();
        for (const [path, name] of files) machine.files.set(path, name);
      };
    },
    renameHost: () => {
      hostName = `${place}-2`;
    },
    losePower: () => {
      boots += 1;
      machine.losePower();
      end();
    },
  };
}

function readDisk(disk: SimDisk): readonly JournalEntry[] {
  return [...disk.contents].map(([key, text]) => ({ key, value: JSON.parse(text) as unknown }));
}
