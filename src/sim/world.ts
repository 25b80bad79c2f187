/**
 * One simulated world: machines with nodes, a broker, a network, and what watches over them. It is laid out here; what happens
 * in it is the plan's business.
 */
import { formatTopic, parseTopic } from '../protocol/topics.js';
import { createAloneChecks, type AloneChecks } from './alone-checks.js';
import { createAmbushes, type Ambushes } from './ambushes.js';
import { createCheckers, type Checkers, type Claimant } from './checkers.js';
import { createHost } from './host.js';
import { createNetwork, type Network } from './network.js';
import { ratioAt, type Plan } from './plan.js';
import { createRandom, type Random } from './random.js';
import { settingsOf, SIM_BASE } from './settings.js';
import { createSimBroker, type SimBroker } from './sim-broker.js';
import { createSimDisk } from './sim-journal.js';
import { createSimMachine } from './sim-machine.js';
import type { SimProcess } from './sim-process.js';
import { createSimRoom } from './sim-room.js';
import { createSimNode, type SimNode } from './sim-node.js';
import { createLines, type Lines } from './sim-direct.js';
import type { Exchange } from './sim-transfer.js';
import { createTimeline, type Timeline } from './timeline.js';

/** Takes one line of the trace. */
export type Trace = (line: string) => void;

/** A world. */
export interface World {
  readonly plan: Plan;
  readonly base: string;
  readonly timeline: Timeline;
  readonly network: Network;
  readonly lines: Lines;
  readonly broker: SimBroker;
  readonly nodes: ReadonlyMap<string, SimNode>;
  readonly checkers: Checkers;
  readonly alone: AloneChecks;
  /** Items whose submission a node has confirmed, and when. */
  readonly accepted: Map<string, number>;
  /** Executions that ran to their end. */
  readonly completed: Set<string>;
  /** Nodes that say of themselves that they drain. */
  readonly drained: ReadonlySet<string>;
  /** The trit that each node calls itself now. */
  readonly trits: ReadonlyMap<string, number>;
  readonly ambushes: Ambushes;
  /** Nodes for which somebody left a command on the bus as a retained message. */
  readonly misled: Set<string>;
  /** Machines that were put back to a snapshot: when that was made, and when it was put back. */
  readonly setBacks: { readonly node: string; readonly from: number; readonly to: number }[];
  /** When the broker last took a state of each node. */
  readonly stateSaidAt: Map<string, number>;
  executions: number;
  /** Faults that struck. */
  struck: number;
  say(line: string): void;
}

/** How often the load is sensed, ms. */
const SENSE_MS = 1000;

/** Lays a world out; nothing has happened in it yet. */
export function createWorld(plan: Plan, trace: Trace | undefined): World {
  const timeline = createTimeline();
  const random = createRandom(`${plan.seed}/world`);
  const network = createNetwork(random.split('network'));
  const broker = createSimBroker(timeline, network, random.split('broker'));
  const exchange: Exchange = new Map();
  const lines = createLines();
  const nodes = new Map<string, SimNode>();
  const claimants = new Map<string, Claimant>();
  const trits = new Map<string, number>();
  const drained = new Set<string>();
  const takes = new Map(plan.submissions.map((one) => [one.item, one.takesMs]));

  const checkers = createCheckers({
    plan,
    base: SIM_BASE,
    now: () => timeline.now(),
    machines: () => [...nodes.values()].map((one) => one.machine),
    entry: (node, key) => readEntry(nodes.get(node), key),
    claimant: (node) => claimants.get(node),
    room: (node) => nodes.get(node)?.room,
  });
  const accepted = new Map<string, number>();
  const alone = createAloneChecks({
    plan,
    now: () => timeline.now(),
    downSince: broker.downSince,
    node: (id) => nodes.get(id),
    word: (id) => claimants.get(id),
    isAccepted: (item) => accepted.has(item),
    entry: (node, key) => readEntry(nodes.get(node), key),
    report: checkers.report,
  });
  const world: World = {
    plan,
    base: SIM_BASE,
    timeline,
    network,
    lines,
    broker,
    nodes,
    checkers,
    alone,
    accepted,
    completed: new Set(),
    trits,
    drained,
    ambushes: createAmbushes(),
    misled: new Set(),
    setBacks: [],
    stateSaidAt: new Map(),
    executions: 0,
    struck: 0,
    say: (line) => trace?.(`${timeline.now().toFixed(1).padStart(9)} ${line}`),
  };

  for (const id of plan.nodes) {
    const node = raiseNode(id, world, {
      random,
      exchange,
      takesMs: (argv) => takes.get(argv[1] ?? '') ?? 100,
      sensed: (state) => {
        trits.set(id, state.trit);
        claimants.set(id, state);
        if (state.draining) drained.add(id);
        else drained.delete(id);
      },
    });
    nodes.set(id, node);
    timeline.after(random.split(`start ${id}`).between(0, 500), node.start);
  }
  watchBus(world, trace !== undefined);
  return world;
}

function readEntry(node: SimNode | undefined, key: string): Record<string, unknown> | undefined {
  const text = node?.disk.contents.get(key);
  return text === undefined ? undefined : (JSON.parse(text) as Record<string, unknown>);
}

interface RaiseParts {
  readonly random: Random;
  readonly exchange: Exchange;
  takesMs(argv: readonly string[]): number;
  sensed(state: Claimant): void;
}

function raiseNode(id: string, world: World, parts: RaiseParts): SimNode {
  const { timeline, network, broker, checkers, plan } = world;
  const { random, exchange, takesMs } = parts;
  const clocks = random.split(`clock ${id}`);
  const host = createHost(id, timeline, clocks.between(-120_000, 120_000), 1 + (clocks.next() - 0.5) / 500);
  const disk = createSimDisk(host, random.split(`disk ${id}`));
  const sizes = new Map(plan.submissions.map((one) => [nameInput(one.item), one.bytes ?? 1]));
  const sizeOf = (content: string): number => sizes.get(content) ?? 1;
  const machine = createSimMachine(host, timeline, random.split(`machine ${id}`));
  const room = createSimRoom(
    machine.files,
    sizeOf,
    () => disk.full,
    () => timeline.now(),
  );
  disk.onChange((key, before, after) => {
    checkers.journalled(id, key, before, after);
    world.alone.journalled(id, key, after);
  });
  machine.onProcess((process) => {
    noteProcess(id, process, world);
    checkers.processChanged(machine, process);
  });
  return createSimNode({
    host,
    disk,
    machine,
    room,
    starved: (share) => checkers.starved(id, share),
    broker,
    network,
    exchange,
    lines: world.lines,
    takesMs,
    random: random.split(`node ${id}`),
    settings: settingsOf(plan, id),
    senseMs: SENSE_MS,
    peek: () => broker.peek(id),
    later: (delayMs, act) => {
      timeline.after(delayMs, act);
    },
    reached: (step) => world.ambushes.reached(id, step),
    ratio: () => ratioAt(plan, id, timeline.now()),
    started: (running) => {
      world.say(`${id} runs`);
      running.state$.subscribe(parts.sensed);
    },
  });
}

/** Content of the input of an item, as its owner stages it. */
function nameInput(item: string): string {
  return `${item}:/in/data`;
}

function noteProcess(id: string, process: SimProcess, world: World): void {
  const state = process.state === 'lives' && process.stopped ? 'stopped' : process.state;
  world.say(`${id} process ${process.execution} ${state}`);
  if (process.state === 'lives' && !process.stopped) world.executions += 1;
  if (process.state === 'exited') world.completed.add(process.writes);
}

function watchBus(world: World, traced: boolean): void {
  const prefix = formatTopic(world.base, { kind: 'mesh' }).length - 'mesh/state'.length;
  world.lines.lookers.push((from, { topic, payload }) => {
    world.checkers.published({ topic, payload, qos: 1, retain: false });
    if (traced) world.say(`${from} ⇒ ${topic.slice(prefix)} ${shorten(payload)}`);
  });
  world.broker.onPublish((from, message) => {
    world.checkers.published(message);
    const topic = parseTopic(world.base, message.topic);
    if (topic?.kind === 'state') world.stateSaidAt.set(topic.node, world.timeline.now());
    if (traced && topic?.kind !== 'state') {
      world.say(`${from} → ${message.topic.slice(prefix)} ${shorten(message.payload)}`);
    }
  });
}

/** A payload without what is the same in every message. */
function shorten(payload: string): string {
  return payload
    .replaceAll(/"(v|ts|boot|seq|sig|history|urls|command)":("[^"]*"|\d+|\[[^\]]*\]|\{[^}]*\}),?/g, '')
    .slice(0, 160);
}
