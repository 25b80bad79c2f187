/**
 * A whole mesh lives for some hours of virtual time under one policy: no faults, but people at their machines and work that
 * comes when it likes. The nodes are the very same code that runs in earnest.
 */
import type { Item } from '../../protocol/item.js';
import { createHost } from '../host.js';
import { createNetwork } from '../network.js';
import { createRandom, type Random } from '../random.js';
import { createSimMachine } from '../sim-machine.js';
import { createSimNode, type SimNode } from '../sim-node.js';
import { createTimeline } from '../timeline.js';
import { watchBackground } from './background.js';
import { createCalmBroker } from './calm-broker.js';
import { keepChronicle } from './chronicle.js';
import type { History } from './history.js';
import { createMachineLoad } from './machine-load.js';
import { createSharedCodec } from './shared-codec.js';
import { createTrustingIdentity } from './trusting-identity.js';
import { SENSE_MS, settingsOfVariant, type Variant } from './variant.js';
import { drawJobs, type Job, type Workload } from './workload.js';
import { keepWork } from './work-left.js';
import { createWriteOnlyDisk } from './write-only-disk.js';

/** What is to live. */
export interface MeshPlan {
  readonly nodes: number;
  readonly hours: number;
  readonly workload: Workload;
  readonly seed: number;
  /** In place of the default pause between two states of a node, ms. */
  readonly stateEveryMs: number | undefined;
}

/** Nothing is counted until all nodes are there and have seen each other, ms. */
const RUN_IN_MS = 60_000;
const START_WITHIN_MS = 5000;
/** After the last submission, jobs may take this long to settle, ms; those that do not are told as such. */
const SETTLE_MS = 600_000;
const LOOK_MS = 1000;
/**
 * In meshes of more nodes than this, states with the trit as before are handed out together, up to so many ms late: they are up
 * to 15 s old when they are used, anyway.
 */
const NODES_EXACT = 200;
const GATHER_MS = 200;
const HOUR_MS = 3_600_000;
const CPUS: readonly number[] = [2, 4, 4, 8];

/** Told which part of the counted time has been lived, 0 to 1. */
export type Tell = (part: number) => void;

/** How often that is told. */
const PARTS = 20;

/** Lives a mesh; the same plan and variant give the same history. */
export function liveMesh(plan: MeshPlan, variant: Variant, tell: Tell = () => undefined): History {
  const timeline = createTimeline();
  const random = createRandom(`${plan.seed}/policy`);
  const network = createNetwork(random.split('network'));
  const codec = createSharedCodec();
  const gatherMs = plan.nodes > NODES_EXACT ? GATHER_MS : 0;
  const broker = createCalmBroker(timeline, network, gatherMs, watchBackground(codec));
  const chronicle = keepChronicle(plan.nodes, timeline.now, codec);
  const work = keepWork();
  const nodes = new Map<string, SimNode>();
  const exchange = new Map();
  broker.onPublish(chronicle.published);

  for (let index = 0; index < plan.nodes; index += 1) {
    const id = `n${index}`;
    const node = raise(id, random.split(id));
    nodes.set(id, node);
    timeline.after((START_WITHIN_MS * index) / plan.nodes, node.start);
  }
  timeline.run(RUN_IN_MS);
  tell(0);

  const until = RUN_IN_MS + plan.hours * HOUR_MS;
  for (const job of drawJobs(plan.workload, [...nodes.keys()], RUN_IN_MS, until, random.split('jobs'))) {
    timeline.after(job.at - RUN_IN_MS, () => submit(job));
  }
  chronicle.begin(broker.delivered);
  for (let part = 1; part <= PARTS; part += 1) {
    timeline.run(RUN_IN_MS + ((until - RUN_IN_MS) * part) / PARTS);
    tell(part / PARTS);
  }
  chronicle.end(broker.delivered);
  // A short look at a large mesh must not cost ten minutes of it.
  const latest = until + Math.min(SETTLE_MS, until - RUN_IN_MS);
  while (chronicle.open > 0 && timeline.now() < latest) timeline.run(timeline.now() + LOOK_MS);
  return chronicle.history();

  function raise(id: string, own: Random): SimNode {
    const cpus = own.pick(CPUS);
    const load = createMachineLoad(cpus, plan.workload, timeline, own.split('load'));
    const host = createHost(id, timeline, 0, 1);
    const machine = createSimMachine(host, timeline, own.split('machine'), load);
    machine.onProcess((process) => {
      if (process.state === 'killed') work.stopped(process.run, load.end(process.run));
    });
    return createSimNode({
      host,
      disk: createWriteOnlyDisk(host, own.split('disk'), chronicle.journalled),
      machine,
      broker,
      network,
      exchange,
      identity: createTrustingIdentity(id),
      codec,
      random: own.split('node'),
      settings: settingsOfVariant(variant, id, cpus, plan.stateEveryMs),
      takesMs: (argv) => work.leftMs(argv[1] ?? ''),
      ratio: load.ratio,
      senseMs: SENSE_MS,
      later: (delayMs, act) => {
        timeline.after(delayMs, act);
      },
      started: (running) => {
        running.sum$.subscribe(({ sum }) => chronicle.convergence.sumDerived(id, sum, timeline.now()));
      },
    });
  }

  function submit(job: Job): void {
    work.add(job.item, job.sizeMs);
    chronicle.submitted(job);
    nodes.get(job.node)?.node?.submit(toItem(job), () => undefined);
  }
}

function toItem(job: Job): Item {
  return {
    item: job.item,
    name: 'sim',
    command: { argv: ['sim', job.item], env: {}, outputs: [], migrate: job.movable ? 'restart' : 'never' },
    need: { cpus: 1, labels: [], abilities: [] },
    inputs: [],
    place: 'any',
    retry: 'rerun',
    attempts: 10,
    deferred: false,
    submitted_at: '',
  };
}
