/**
 * Workloads: how busy users keep their machines, and which jobs arrive when, where and how large. They depend on the
 * seed alone, so that two policies are compared on exactly the same work.
 */
import type { Random } from '../plan/random.js';

/** The work of a mesh. Ratios are load per core, sizes and times ms. */
export interface Workload {
  readonly name: WorkloadName;
  /** What it stands for, as shown to users. */
  readonly about: string;
  /** Jobs per hour of a node that submits work. */
  readonly jobsPerHour: number;
  /** Share of the nodes that submit work. */
  readonly submitters: number;
  /** Average number of jobs that arrive at once. */
  readonly burst: number;
  /** Sizes are Pareto distributed between these bounds: a few jobs make up most of the work. */
  readonly sizeMsLeast: number;
  readonly sizeMsMost: number;
  readonly sizeShape: number;
  /** Share of the jobs that may be stopped, moved and started again. */
  readonly movable: number;
  /** The users' load while they use a machine and while they do not, and the share of time that they do. */
  readonly busyRatio: number;
  readonly idleRatio: number;
  readonly busyShare: number;
  /** How long users stay at a machine, on average. */
  readonly busyMs: number;
}

/** The names of the workloads. */
export type WorkloadName = 'lab' | 'bursts' | 'edge' | 'crowd';

const LAB: Workload = {
  name: 'lab',
  about: 'a third of the machines in use, jobs now and then from everywhere',
  jobsPerHour: 50,
  submitters: 1,
  burst: 1,
  sizeMsLeast: 20_000,
  sizeMsMost: 1_800_000,
  sizeShape: 0.9,
  movable: 0.5,
  busyRatio: 0.75,
  idleRatio: 0.1,
  busyShare: 0.33,
  busyMs: 1_200_000,
};

/** All workloads, by name. */
export const WORKLOADS: Readonly<Record<WorkloadName, Workload>> = {
  lab: LAB,
  bursts: {
    ...LAB,
    name: 'bursts',
    about: 'a fifth of the machines send out builds of forty jobs at once',
    jobsPerHour: 200,
    submitters: 0.2,
    burst: 40,
  },
  edge: {
    ...LAB,
    name: 'edge',
    about: 'every machine sits at the edge: own load around 0.8 or around 0.3',
    busyRatio: 0.8,
    idleRatio: 0.3,
    busyShare: 0.5,
  },
  crowd: {
    ...LAB,
    name: 'crowd',
    about: 'two thirds of the machines in use: receivers are few, the sum is mostly above 0',
    jobsPerHour: 60,
    busyRatio: 0.95,
    busyShare: 0.67,
  },
};

/** One job. */
export interface Job {
  readonly item: string;
  readonly node: string;
  readonly at: number;
  /** Run time when it has a core to itself, ms. */
  readonly sizeMs: number;
  readonly movable: boolean;
}

const HOUR_MS = 3_600_000;

/** The jobs of a period, ordered by time. Arrivals are Poisson, per node. */
export function generateJobs(
  workload: Workload,
  nodes: readonly string[],
  from: number,
  until: number,
  random: Random,
): Job[] {
  const submitters = nodes.filter((_, index) => ((index + 0.5) * workload.submitters) % 1 < workload.submitters);
  const meanPauseMs = (HOUR_MS / workload.jobsPerHour) * workload.burst;
  const jobs: Omit<Job, 'item'>[] = [];
  for (const node of submitters) {
    const own = random.split(`jobs of ${node}`);
    for (let at = from + own.exponential(meanPauseMs); at < until; at += own.exponential(meanPauseMs)) {
      const count = workload.burst === 1 ? 1 : Math.max(1, Math.round(own.exponential(workload.burst)));
      for (let one = 0; one < count; one += 1) {
        jobs.push({ node, at, sizeMs: generateSize(workload, own), movable: own.chance(workload.movable) });
      }
    }
  }
  return jobs.toSorted((a, b) => a.at - b.at).map((job, index) => ({ ...job, item: `j${index}` }));
}

/** Draws a job size from the bounded Pareto distribution, ms, by inverting its distribution function. */
export function generateSize(workload: Workload, random: Random): number {
  const { sizeMsLeast: least, sizeMsMost: most, sizeShape: shape } = workload;
  const cut = 1 - (least / most) ** shape;
  return least / (1 - random.next() * cut) ** (1 / shape);
}
