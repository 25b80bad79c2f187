/**
 * One simulated world: machines with nodes, a broker, a network, and the checks that watch them. This file only builds
 * it; the plan decides what happens in it.
 */
import { formatTopic, parseTopic } from '../protocol/topics.js';
import { createAloneChecks, type AloneChecks } from './checks/alone-checks.js';
import { createFaultTriggers, type FaultTriggers } from './faults/fault-trigger.js';
import { createInvariants, type Invariants, type Claimant } from './checks/invariants.js';
import { createMachinePower } from './parts/machine-power.js';
import { createNetwork, type Network } from './parts/network.js';
import { ratioAt, type Plan } from './plan/plan.js';
import { createRandom, type Random } from './plan/random.js';
import { settingsOf, SIM_BASE } from './settings.js';
import { createSimBroker, type SimBroker } from './parts/sim-broker.js';
import { createSimDisk } from './parts/sim-journal.js';
import { createSimMachine } from './parts/sim-machine.js';
import type { SimProcess } from './parts/sim-process.js';
import { createSimDiskSpace } from './parts/sim-disk-space.js';
import { createSimNode, type SimNode } from './parts/sim-node.js';
import { createDirectPaths, type DirectPaths } from './parts/sim-direct.js';
import type { Exchange } from './parts/sim-transfer.js';
import { createTimeline, type Timeline } from './parts/timeline.js';

/** Receives one line of the trace. */
export type Trace = (line: string) => void;

/** A simulated world. */
export interface World {
  readonly plan: Plan;
  readonly base: string;
  readonly timeline: Timeline;
  readonly network: Network;
  readonly directPaths: DirectPaths;
  readonly broker: SimBroker;
  readonly nodes: ReadonlyMap<string, SimNode>;
  readonly invariants: Invariants;
  readonly aloneChecks: AloneChecks;
  /** Items whose submission was confirmed by a node, with the time, ms. */
  readonly accepted: Map<string, number>;
  /** Executions that ran to their end, by the name of what they write. */
  readonly completed: Set<string>;
  /** Nodes whose own state says that they are draining. */
  readonly drained: ReadonlySet<string>;
  /** The trit in each node's own state. */
  readonly trits: ReadonlyMap<string, number>;
  readonly triggers: FaultTriggers;
  /** Nodes for which a command was left on the bus as a retained message. */
  readonly misledNodes: Set<string>;
  /** Machines that were rolled back to a snapshot: when it was taken, and when it was restored. */
  readonly rollbacks: { readonly node: string; readonly from: number; readonly to: number }[];
  /** When the broker last accepted a state message of each node, ms. */
  readonly statePublishedAt: Map<string, number>;
  executions: number;
  /** Faults injected so far. */
  faultCount: number;
  log(line: string): void;
}

/** Interval at which nodes sense their load, ms. */
const SENSE_MS = 1000;

/** Creates the world of a plan. Nodes are scheduled to start; nothing has happened yet. */
export function createWorld(plan: Plan, trace: Trace | undefined): World {
  const timeline = createTimeline();
  const random = createRandom(`${plan.seed}/world`);
  const network = createNetwork(random.split('network'));
  const broker = createSimBroker(timeline, network, random.split('broker'));
  const directPaths = createDirectPaths();
  const nodes = new Map<string, SimNode>();
  const claimants = new Map<string, Claimant>();
  const trits = new Map<string, number>();
  const drained = new Set<string>();

  const invariants = createInvariants({
    plan,
    base: SIM_BASE,
    now: () => timeline.now(),
    machines: () => [...nodes.values()].map((one) => one.machine),
    entry: (node, key) => readEntry(nodes.get(node), key),
    claimant: (node) => claimants.get(node),
    diskSpace: (node) => nodes.get(node)?.diskSpace,
  });
  const accepted = new Map<string, number>();
  const aloneChecks = createAloneChecks({
    plan,
    now: () => timeline.now(),
    downSince: broker.downSince,
    node: (id) => nodes.get(id),
    state: (id) => claimants.get(id),
    isAccepted: (item) => accepted.has(item),
    entry: (node, key) => readEntry(nodes.get(node), key),
    report: invariants.report,
  });
  const world: World = {
    plan,
    base: SIM_BASE,
    timeline,
    network,
    directPaths,
    broker,
    nodes,
    invariants,
    aloneChecks,
    accepted,
    completed: new Set(),
    trits,
    drained,
    triggers: createFaultTriggers(),
    misledNodes: new Set(),
    rollbacks: [],
    statePublishedAt: new Map(),
    executions: 0,
    faultCount: 0,
    log: (line) => trace?.(`${timeline.now().toFixed(1).padStart(9)} ${line}`),
  };

  createNodes(world, random, { nodes, claimants, trits, drained });
  watchBus(world, trace !== undefined);
  return world;
}

/** The world's maps that its nodes fill: the nodes, and what each last said about itself. */
interface NodeMaps {
  readonly nodes: Map<string, SimNode>;
  readonly claimants: Map<string, Claimant>;
  readonly trits: Map<string, number>;
  readonly drained: Set<string>;
}

/** Creates a node for each id of the plan. Each starts within the first half second. */
function createNodes(world: World, random: Random, { nodes, claimants, trits, drained }: NodeMaps): void {
  const exchange: Exchange = new Map();
  const takes = new Map(world.plan.submissions.map((one) => [one.item, one.takesMs]));
  for (const id of world.plan.nodes) {
    const node = createWorldNode(id, world, {
      random,
      exchange,
      takesMs: (argv) => takes.get(argv[1] ?? '') ?? 100,
      onSensed: (state) => {
        trits.set(id, state.trit);
        claimants.set(id, state);
        if (state.draining) drained.add(id);
        else drained.delete(id);
      },
    });
    nodes.set(id, node);
    world.timeline.after(random.split(`start ${id}`).between(0, 500), node.start);
  }
}

function readEntry(node: SimNode | undefined, key: string): Record<string, unknown> | undefined {
  const text = node?.disk.contents.get(key);
  return text === undefined ? undefined : (JSON.parse(text) as Record<string, unknown>);
}

interface WorldNodeDeps {
  readonly random: Random;
  readonly exchange: Exchange;
  takesMs(argv: readonly string[]): number;
  onSensed(state: Claimant): void;
}

function createWorldNode(id: string, world: World, deps: WorldNodeDeps): SimNode {
  const { timeline, network, broker, invariants, plan } = world;
  const { random, exchange, takesMs } = deps;
  const clocks = random.split(`clock ${id}`);
  const host = createMachinePower(id, timeline, clocks.between(-120_000, 120_000), 1 + (clocks.next() - 0.5) / 500);
  const disk = createSimDisk(host, random.split(`disk ${id}`));
  const sizes = new Map(plan.submissions.map((one) => [nameInput(one.item), one.bytes ?? 1]));
  const sizeOf = (content: string): number => sizes.get(content) ?? 1;
  const machine = createSimMachine(host, timeline, random.split(`machine ${id}`));
  const diskSpace = createSimDiskSpace(
    machine.files,
    sizeOf,
    () => disk.full,
    () => timeline.now(),
  );
  disk.onChange((key, before, after) => {
    invariants.journalled(id, key, before, after);
    world.aloneChecks.journalled(id, key, after);
  });
  machine.onProcess((process) => {
    logProcess(id, process, world);
    invariants.processChanged(machine, process);
  });
  return createSimNode({
    host,
    disk,
    machine,
    diskSpace,
    onLackOfSpace: (share) => invariants.fetchLackedSpace(id, share),
    broker,
    network,
    exchange,
    directPaths: world.directPaths,
    takesMs,
    random: random.split(`node ${id}`),
    settings: settingsOf(plan, id),
    senseMs: SENSE_MS,
    peek: () => broker.peek(id),
    later: (delayMs, act) => {
      timeline.after(delayMs, act);
    },
    reached: (step) => world.triggers.reached(id, step),
    ratio: () => ratioAt(plan, id, timeline.now()),
    onStarted: (running) => {
      world.log(`${id} runs`);
      running.state$.subscribe(deps.onSensed);
    },
  });
}

/** The simulated content of an item's input, as its owner stages it. */
function nameInput(item: string): string {
  return `${item}:/in/data`;
}

function logProcess(id: string, process: SimProcess, world: World): void {
  const state = process.state === 'alive' && process.stopped ? 'stopped' : process.state;
  world.log(`${id} process ${process.execution} ${state}`);
  if (process.state === 'alive' && !process.stopped) world.executions += 1;
  if (process.state === 'exited') world.completed.add(process.writes);
}

function watchBus(world: World, traced: boolean): void {
  const prefix = formatTopic(world.base, { kind: 'mesh' }).length - 'mesh/state'.length;
  world.directPaths.observers.push((from, { topic, payload }) => {
    world.invariants.published({ topic, payload, qos: 1, retain: false });
    if (traced) world.log(`${from} ⇒ ${topic.slice(prefix)} ${shorten(payload)}`);
  });
  world.broker.onPublish((from, message) => {
    world.invariants.published(message);
    const topic = parseTopic(world.base, message.topic);
    if (topic?.kind === 'state') world.statePublishedAt.set(topic.node, world.timeline.now());
    if (traced && topic?.kind !== 'state') {
      world.log(`${from} → ${message.topic.slice(prefix)} ${shorten(message.payload)}`);
    }
  });
}

/** A payload without the fields that every message has. */
function shorten(payload: string): string {
  return payload
    .replaceAll(/"(v|ts|boot|seq|sig|history|urls|command)":("[^"]*"|\d+|\[[^\]]*\]|\{[^}]*\}),?/g, '')
    .slice(0, 160);
}
