/**
 * Judges policies by simulation: a mesh lives under the defaults, and for a comparison under other policies too, with the very
 * same people and jobs.
 */
import { liveMesh } from './mesh.js';
import { summarize, type PolicyFigures } from './report.js';
import { DEFAULTS, OTHERS } from './variant.js';
import { WORKLOADS, type WorkloadName } from './workload.js';

/** What to simulate. */
export interface PolicyOptions {
  readonly nodes: number;
  readonly hours: number;
  readonly workload: WorkloadName;
  readonly seed: number;
  /** Whether the defaults are compared with other policies. */
  readonly compare: boolean;
  /** In place of the default pause between two states of a node, ms: coarser for very large meshes. */
  readonly stateEveryMs?: number | undefined;
}

/** What came of it; the same options give the same report. */
export interface PolicyReport extends Omit<PolicyOptions, 'compare' | 'stateEveryMs'> {
  readonly state_every_ms: number | null;
  readonly policies: readonly { readonly name: string; readonly figures: PolicyFigures }[];
}

/** Simulates; `onPolicy` is told when a policy has been lived through. */
export function runPolicy(options: PolicyOptions, onPolicy: (name: string) => void = () => undefined): PolicyReport {
  const { nodes, hours, workload, seed, stateEveryMs } = options;
  const variants = options.compare ? [DEFAULTS, ...OTHERS] : [DEFAULTS];
  const plan = { nodes, hours, seed, workload: WORKLOADS[workload], stateEveryMs };
  const policies = variants.map((variant) => {
    const figures = summarize(liveMesh(plan, variant));
    onPolicy(variant.name);
    return { name: variant.name, figures };
  });
  return { nodes, hours, workload, seed, state_every_ms: stateEveryMs ?? null, policies };
}

/** Whether there is a workload of this name. */
export function isWorkloadName(name: string): name is WorkloadName {
  return Object.hasOwn(WORKLOADS, name);
}
