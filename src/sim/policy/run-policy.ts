/**
 * Evaluates policies by simulation: a mesh runs under the defaults and, for a comparison, under other policies with
 * exactly the same users and jobs. One run shows only large differences, so it can be repeated with several seeds.
 */
import { runMesh } from './mesh.js';
import { summarize, type PolicyFigures } from './report.js';
import { spreadFigures, type PolicySpread } from './spread.js';
import { DEFAULT_VARIANT, COMPARED, type Variant } from './variant.js';
import { WORKLOADS, type WorkloadName } from './workload.js';

/** What to simulate. */
export interface PolicyOptions {
  readonly nodes: number;
  readonly hours: number;
  readonly workload: WorkloadName;
  /** The first seed, and the number of runs with consecutive seeds. */
  readonly seed: number;
  readonly seeds: number;
  /** Whether to compare the defaults with other policies. */
  readonly compare: boolean;
  /** Interval between two states of a node, ms, in place of the default: longer for very large meshes. */
  readonly stateEveryMs?: number | undefined;
}

/** The outcome of one policy: each run, and all of them together. */
export interface PolicyOutcome {
  readonly name: string;
  readonly runs: readonly PolicyFigures[];
  readonly figures: PolicySpread;
}

/** The outcomes of all policies, with the options that led to them. The same options give the same report. */
export interface PolicyReport extends Omit<PolicyOptions, 'compare' | 'stateEveryMs'> {
  readonly state_every_ms: number | null;
  readonly policies: readonly PolicyOutcome[];
}

/** Called with the policy, the seed, and the part of that run that has been simulated, 0 to 1. */
export type PolicyProgress = (policy: string, seed: number, part: number) => void;

/** Simulates the defaults, and the other policies if a comparison is asked for. */
export function runPolicy(options: PolicyOptions, onProgress: PolicyProgress = () => undefined): PolicyReport {
  const { nodes, hours, workload, seed, seeds, stateEveryMs } = options;
  const variants = options.compare ? [DEFAULT_VARIANT, ...COMPARED] : [DEFAULT_VARIANT];
  const policies = variants.map((variant) => judge(variant, options, onProgress));
  return { nodes, hours, workload, seed, seeds, state_every_ms: stateEveryMs ?? null, policies };
}

function judge(variant: Variant, options: PolicyOptions, onProgress: PolicyProgress): PolicyOutcome {
  const { nodes, hours, workload, stateEveryMs } = options;
  const run = (seed: number): PolicyFigures => {
    const plan = { nodes, hours, seed, workload: WORKLOADS[workload], stateEveryMs };
    return summarize(runMesh(plan, variant, (part) => onProgress(variant.name, seed, part)));
  };
  const first = run(options.seed);
  const others = Array.from({ length: options.seeds - 1 }, (_, index) => run(options.seed + index + 1));
  return { name: variant.name, runs: [first, ...others], figures: spreadFigures(first, others) };
}

/** Whether there is a workload of this name. */
export function isWorkloadName(name: string): name is WorkloadName {
  return Object.hasOwn(WORKLOADS, name);
}
