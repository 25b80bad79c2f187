/**
 * Judges policies by simulation: a mesh lives under the defaults, and for a comparison under other policies too, with the very
 * same people and jobs; several times over from other seeds when asked, since one run tells large differences only.
 */
import { liveMesh } from './mesh.js';
import { summarize, type PolicyFigures } from './report.js';
import { spreadFigures, type PolicySpread } from './spread.js';
import { DEFAULTS, OTHERS, type Variant } from './variant.js';
import { WORKLOADS, type WorkloadName } from './workload.js';

/** What to simulate. */
export interface PolicyOptions {
  readonly nodes: number;
  readonly hours: number;
  readonly workload: WorkloadName;
  /** The first seed, and how many runs from it on. */
  readonly seed: number;
  readonly seeds: number;
  /** Whether the defaults are compared with other policies. */
  readonly compare: boolean;
  /** In place of the default pause between two states of a node, ms: coarser for very large meshes. */
  readonly stateEveryMs?: number | undefined;
}

/** What came of one policy: each run, and all together. */
export interface PolicyOutcome {
  readonly name: string;
  readonly runs: readonly PolicyFigures[];
  readonly figures: PolicySpread;
}

/** What came of it; the same options give the same report. */
export interface PolicyReport extends Omit<PolicyOptions, 'compare' | 'stateEveryMs'> {
  readonly state_every_ms: number | null;
  readonly policies: readonly PolicyOutcome[];
}

/** Told how far it is: the policy, the seed, and which part of that run has been lived, 0 to 1. */
export type Progress = (policy: string, seed: number, part: number) => void;

/** Simulates. */
export function runPolicy(options: PolicyOptions, tell: Progress = () => undefined): PolicyReport {
  const { nodes, hours, workload, seed, seeds, stateEveryMs } = options;
  const variants = options.compare ? [DEFAULTS, ...OTHERS] : [DEFAULTS];
  const policies = variants.map((variant) => judge(variant, options, tell));
  return { nodes, hours, workload, seed, seeds, state_every_ms: stateEveryMs ?? null, policies };
}

function judge(variant: Variant, options: PolicyOptions, tell: Progress): PolicyOutcome {
  const { nodes, hours, workload, stateEveryMs } = options;
  const live = (seed: number): PolicyFigures => {
    const plan = { nodes, hours, seed, workload: WORKLOADS[workload], stateEveryMs };
    return summarize(liveMesh(plan, variant, (part) => tell(variant.name, seed, part)));
  };
  const first = live(options.seed);
  const others = Array.from({ length: options.seeds - 1 }, (_, index) => live(options.seed + index + 1));
  return { name: variant.name, runs: [first, ...others], figures: spreadFigures(first, others) };
}

/** Whether there is a workload of this name. */
export function isWorkloadName(name: string): name is WorkloadName {
  return Object.hasOwn(WORKLOADS, name);
}
