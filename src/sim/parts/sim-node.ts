/**
 * A machine with a node on it: it starts the node from the state on its disk, crashes it, and starts it again. The node
 * is the production code; only its ports are simulated.
 */
import { interval, map, of, timer } from 'rxjs';
import type { Bus } from '../../bus/bus.js';
import type { Identity } from '../../identity/identity.js';
import { findNews, type KnownByMesh } from '../../core/identity/catch-up.js';
import { chooseIdentity } from '../../core/identity/choose-identity.js';
import type { JournalEntry } from '../../journal/journal.js';
import { createNode } from '../../node/create-node.js';
import type { NodePorts } from '../../node/ports.js';
import type { RunningNode } from '../../node/running-node.js';
import { recoverJournal } from '../../node/recover-journal.js';
import { readKnownBirths } from './sim-births.js';
import { watchCrashPoints } from '../../node/crash-points.js';
import type { NodeSettings } from '../../pipelines/settings.js';
import type { Codec } from '../../protocol/codec.js';
import { formatTopic } from '../../protocol/topics.js';
import type { Sense } from '../../sense/sense.js';
import type { MachinePower } from './machine-power.js';
import type { Network } from './network.js';
import type { Random } from '../plan/random.js';
import type { BrokerClientSide } from './sim-broker.js';
import type { Direct } from '../../transfer/direct.js';
import { createSimBus } from './sim-bus.js';
import { createSimDirect, type DirectPaths } from './sim-direct.js';
import { createSimIdentity } from './sim-identity.js';
import type { SimDisk } from './sim-journal.js';
import type { SimMachine } from './sim-machine.js';
import { createAmpleDiskSpace, type SimDiskSpace } from './sim-disk-space.js';
import { createSimRunner, type TakesMs } from './sim-runner.js';
import { createSimTransfer, createSimWorkspace, type Exchange } from './sim-transfer.js';

/** Dependencies of a simulated machine. */
export interface SimNodeDeps {
  readonly host: MachinePower;
  readonly disk: SimDisk;
  readonly machine: SimMachine;
  /** Without it, disk space is unlimited. */
  readonly diskSpace?: SimDiskSpace;
  /** Called for each fetch that failed for lack of disk space. */
  onLackOfSpace?(share: string): void;
  readonly broker: BrokerClientSide;
  readonly network: Network;
  readonly exchange: Exchange;
  /** Without them, nodes communicate only through the broker. */
  readonly directPaths?: DirectPaths;
  readonly random: Random;
  readonly settings: NodeSettings;
  readonly takesMs: TakesMs;
  /** Replace the simulated signatures and the codec in meshes of many nodes. */
  readonly identity?: Identity;
  readonly codec?: Codec;
  /** The current load ratio. */
  ratio(): number;
  /** Interval at which the load is sensed, ms. */
  readonly senseMs: number;
  /** The broker's retained messages; returns `undefined` if it cannot be reached. Without it, a start does not look. */
  readonly peek?: () => ReadonlyMap<string, string> | undefined;
  later(delayMs: number, act: () => void): void;
  /** Called when a node has started. */
  onStarted(node: RunningNode): void;
  /** Called with the name of each crash point that the node reaches. It may crash the node on the spot. */
  readonly reached?: (step: string) => void;
}

/** A machine and its node. */
export interface SimNode {
  readonly id: string;
  readonly host: MachinePower;
  readonly disk: SimDisk;
  readonly machine: SimMachine;
  readonly diskSpace: SimDiskSpace;
  /** The running node; `undefined` while there is none. */
  readonly node: RunningNode | undefined;
  start(): void;
  /** Ends the node as SIGKILL does: the processes of its jobs continue. */
  crash(): void;
  losePower(): void;
  /** Changes the host name: from its next start on, the node's default id is another one. */
  renameHost(): void;
  /** Takes a snapshot of the machine's disk. The returned function powers the machine off and restores it. */
  snapshot(): () => void;
}

const RETRY_MS = 1000;

/** Creates a machine whose node is not started yet. */
export function createSimNode(deps: SimNodeDeps): SimNode {
  const { host, disk, machine, broker, exchange } = deps;
  const { id: place, base } = deps.settings;
  let hostName = place;
  let node: RunningNode | undefined;
  let machineBoots = 1;
  const diskSpace = deps.diskSpace ?? createAmpleDiskSpace(machine.files);

  function start(): void {
    if (host.boot !== 0) return;
    const boot = host.begin();
    const own = { ...deps.settings, id: chooseId(), machineBoot: String(machineBoots) };
    const clock = host.clock(boot);
    const random = deps.random.split(`life ${boot}`);
    const identity = deps.identity ?? createSimIdentity(place);
    const settings = { ...own, known: findKnown(own.id, identity) };
    const ports: NodePorts = {
      clock,
      identity,
      codec: deps.codec,
      bus: openBus(boot, settings.id),
      journal: disk.open(boot),
      runner: createSimRunner(machine, boot, random, deps.takesMs),
      transfer: createSimTransfer({
        machine,
        boot,
        network: deps.network,
        exchange,
        random,
        publicKey: identity.publicKey,
        diskSpace,
        onLackOfSpace: deps.onLackOfSpace,
      }),
      workspace: createSimWorkspace(machine, diskSpace, boot, random),
      direct: openDirect(boot, random, identity.publicKey),
      sense: senseLoad(boot),
    };
    createNode(watchSteps(ports, boot), settings, (_error, running) => {
      // It may have crashed during its start.
      if (host.boot !== boot) return;
      if (running === undefined) return retry();
      node = running;
      deps.onStarted(running);
    });
  }

  /** As in production: the journal says which id it belongs to. */
  function chooseId(): string {
    const { identity } = recoverJournal(readDisk(disk), '', 0);
    const asked = { id: hostName, idOrigin: undefined, base, baseOrigin: undefined };
    const choice = chooseIdentity(asked, identity, { items: [], guests: [] });
    return choice.ok ? choice.id : hostName;
  }

  /** As in production: from the retained messages that are signed with the node's own key. */
  function findKnown(id: string, identity: Identity): KnownByMesh | undefined {
    const retained = deps.peek?.();
    if (retained === undefined) return undefined;
    const seen = readKnownBirths(retained, { base, id, identity });
    const boot = seen.births.find((one) => one.id === id)?.boot ?? 0;
    return findNews({ boot, said: seen.said, statuses: seen.statuses }, recoverJournal(readDisk(disk), '', 0));
  }

  function watchSteps(ports: NodePorts, boot: number): NodePorts {
    const { reached } = deps;
    if (reached === undefined) return ports;
    return watchCrashPoints(ports, base, (step) => {
      if (host.boot === boot) reached(step);
    });
  }

  function openBus(boot: number, id: string): Bus {
    const { network } = deps;
    const will = { topic: formatTopic(base, { kind: 'availability', node: id }), payload: 'offline' };
    return createSimBus({ host, boot, broker, network, clientId: `${base}-${id}`, will });
  }

  function openDirect(boot: number, random: Random, publicKey: string): Direct | undefined {
    const { directPaths, network } = deps;
    return (
      directPaths &&
      createSimDirect({ host, boot, network, paths: directPaths, random: random.split('direct'), publicKey })
    );
  }

  function senseLoad(boot: number): Sense {
    const { scheduler } = host.clock(boot);
    const sample = (): {
      ratio: number;
      cpus: number;
      cpuPercent: number;
      memoryPercent: number;
      memoryBytes: number;
    } => ({
      ratio: deps.ratio(),
      cpus: deps.settings.info.cpus,
      cpuPercent: Math.min(100, deps.ratio() * 100),
      memoryPercent: 20,
      memoryBytes: deps.settings.info.memory_bytes,
    });
    // Policy simulations have unlimited disk space and do not sample it.
    const disk$ =
      deps.diskSpace === undefined ? undefined : timer(0, deps.senseMs, scheduler).pipe(map(diskSpace.reported));
    return { load$: interval(deps.senseMs, scheduler).pipe(map(sample)), processes$: of([]), disk$ };
  }

  /** If the node cannot start because the disk is full, the machine's supervisor starts it again later. */
  function retry(): void {
    end();
    deps.later(RETRY_MS, start);
  }

  function end(): void {
    node = undefined;
    host.end();
    disk.crash();
    broker.vanishFrom(host.id);
    deps.directPaths?.endpoints.delete(host.id);
    for (const [url, served] of exchange) if (served.place === host.id) exchange.delete(url);
  }

  return {
    id: place,
    host,
    disk,
    machine,
    diskSpace,
    get node() {
      return node;
    },
    start,
    crash: end,
    snapshot: () => {
      const contents = new Map(disk.contents);
      const files = new Map(machine.files);
      return () => {
        machineBoots += 1;
        machine.losePower();
        end();
        disk.rollBack(contents);
        machine.files.clear();
        for (const [path, name] of files) machine.files.set(path, name);
      };
    },
    renameHost: () => {
      hostName = `${place}-2`;
    },
    losePower: () => {
      machineBoots += 1;
      machine.losePower();
      end();
    },
  };
}

function readDisk(disk: SimDisk): readonly JournalEntry[] {
  return [...disk.contents].map(([key, text]) => ({ key, value: JSON.parse(text) as unknown }));
}
