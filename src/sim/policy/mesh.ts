/**
 * Simulates a whole mesh for some hours of virtual time under one policy: no faults, but users at their machines and
 * work that arrives at random. The nodes are the production code.
 */
import type { Item } from '../../protocol/item.js';
import { createMachinePower } from '../parts/machine-power.js';
import { createNetwork } from '../parts/network.js';
import { createRandom, type Random } from '../plan/random.js';
import { createSimMachine } from '../parts/sim-machine.js';
import { createSimNode, type SimNode } from '../parts/sim-node.js';
import { createTimeline } from '../parts/timeline.js';
import { createBackgroundFilter } from './background.js';
import { createCalmBroker } from './calm-broker.js';
import { createChronicle } from './chronicle.js';
import type { History } from './history.js';
import { createMachineLoad } from './machine-load.js';
import { createSharedCodec } from './shared-codec.js';
import { createTrustingIdentity } from './trusting-identity.js';
import { SENSE_MS, settingsOfVariant, type Variant } from './variant.js';
import { generateJobs, type Job, type Workload } from './workload.js';
import { createWorkLeft } from './work-left.js';
import { createWriteOnlyDisk } from './write-only-disk.js';

/** What to simulate. */
export interface MeshPlan {
  readonly nodes: number;
  readonly hours: number;
  readonly workload: Workload;
  readonly seed: number;
  /** Interval between two states of a node, ms; `undefined` for the default. */
  readonly stateEveryMs: number | undefined;
}

/** Warm-up, ms: nothing is measured until all nodes run and have seen each other. */
const RUN_IN_MS = 60_000;
const START_WITHIN_MS = 5000;
/** Jobs may take this long to settle after the last submission, ms. Others are reported as unsettled. */
const SETTLE_MS = 600_000;
const LOOK_MS = 1000;
/**
 * In meshes of more nodes than this, states with an unchanged trit are delivered in batches, up to {@link GATHER_MS}
 * late. That does not matter: a state may be 15 s old when it is used.
 */
const NODES_EXACT = 200;
const GATHER_MS = 200;
const HOUR_MS = 3_600_000;
const CPUS: readonly number[] = [2, 4, 4, 8];

/** Called with the part of the measured time that has been simulated, 0 to 1. */
export type MeshProgress = (part: number) => void;

/** Number of progress reports. */
const PROGRESS_STEPS = 20;

/** Simulates a mesh. The same plan and variant give the same history. */
export function runMesh(plan: MeshPlan, variant: Variant, onProgress: MeshProgress = () => undefined): History {
  const timeline = createTimeline();
  const random = createRandom(`${plan.seed}/policy`);
  const network = createNetwork(random.split('network'));
  const codec = createSharedCodec();
  const gatherMs = plan.nodes > NODES_EXACT ? GATHER_MS : 0;
  const broker = createCalmBroker(timeline, network, gatherMs, createBackgroundFilter(codec));
  const chronicle = createChronicle(plan.nodes, timeline.now, codec);
  const work = createWorkLeft();
  const nodes = new Map<string, SimNode>();
  const exchange = new Map();
  broker.onPublish(chronicle.published);

  for (let index = 0; index < plan.nodes; index += 1) {
    const id = `n${index}`;
    const node = createMeshNode(id, random.split(id));
    nodes.set(id, node);
    timeline.after((START_WITHIN_MS * index) / plan.nodes, node.start);
  }
  timeline.run(RUN_IN_MS);
  onProgress(0);

  const until = RUN_IN_MS + plan.hours * HOUR_MS;
  for (const job of generateJobs(plan.workload, [...nodes.keys()], RUN_IN_MS, until, random.split('jobs'))) {
    timeline.after(job.at - RUN_IN_MS, () => submit(job));
  }
  chronicle.begin(broker.delivered);
  for (let part = 1; part <= PROGRESS_STEPS; part += 1) {
    timeline.run(RUN_IN_MS + ((until - RUN_IN_MS) * part) / PROGRESS_STEPS);
    onProgress(part / PROGRESS_STEPS);
  }
  chronicle.end(broker.delivered);
  // A short run of a large mesh must not cost another ten minutes of virtual time.
  const latest = until + Math.min(SETTLE_MS, until - RUN_IN_MS);
  while (chronicle.open > 0 && timeline.now() < latest) timeline.run(timeline.now() + LOOK_MS);
  return chronicle.history();

  function createMeshNode(id: string, own: Random): SimNode {
    const cpus = own.pick(CPUS);
    const load = createMachineLoad(cpus, plan.workload, timeline, own.split('load'));
    const host = createMachinePower(id, timeline, 0, 1);
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
      onStarted: (running) => {
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
    id: job.item,
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
