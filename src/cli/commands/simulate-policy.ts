/** `tritmesh simulate --nodes N`: simulates a mesh without faults for hours of virtual time and reports its figures. */
import { printJson, type Context } from '../context.js';
import { BadInput, EXIT } from '../failure.js';
import { readCount } from '../flag-values.js';
import { renderPolicy } from '../render/policy.js';
import { isWorkloadName, runPolicy, type PolicyOptions } from '../../sim/policy/run-policy.js';
import { WORKLOADS } from '../../sim/policy/workload.js';

/** Most nodes of one simulation: memory and processor time grow with their square, since each tracks all others. */
const NODES_MAX = 1000;
/** Above this many nodes a run is slow enough to print its progress even when stderr is not a terminal. */
const NODES_SLOW = 50;

/** Parses the flags as commander returns them. Throws {@link BadInput}. */
export function readPolicyFlags(flags: Readonly<Record<string, unknown>>): PolicyOptions {
  const { workload: given = 'lab' } = flags;
  const workload = typeof given === 'string' ? given : '';
  if (!isWorkloadName(workload)) {
    throw new BadInput('--workload', workload, `must be one of ${Object.keys(WORKLOADS).join(', ')}`);
  }
  const nodes = readCount('--nodes', flags['nodes'], 1);
  if (nodes > NODES_MAX) throw new BadInput('--nodes', String(nodes), `must be at most ${NODES_MAX}`);
  const every = flags['stateEvery'];
  return {
    nodes,
    workload,
    hours: readNumber('--hours', flags['hours'] ?? '1', 0.01, 1000),
    seed: readNumber('--seed', flags['seed'] ?? '1', 0, Number.MAX_SAFE_INTEGER),
    seeds: readCount('--seeds', flags['seeds'] ?? '1', 1),
    compare: flags['compare'] === true,
    ...(every === undefined ? {} : { stateEveryMs: readNumber('--state-every', every, 1, 3600) * 1000 }),
  };
}

function readNumber(flag: string, value: unknown, min: number, max: number): number {
  const number = Number(value);
  if (number >= min && number <= max) return number;
  throw new BadInput(flag, String(value), `must be a number from ${min} to ${max}`);
}

/** Runs the simulation and prints its report. */
export function simulatePolicy(context: Context, options: PolicyOptions): number {
  const startedAt = performance.now();
  const report = runPolicy(options, (policy, seed, part) => {
    const passedS = Math.round((performance.now() - startedAt) / 1000);
    if (context.isTerminal || part === 1 || options.nodes > NODES_SLOW) {
      context.report(`${policy}, seed ${seed}: ${Math.round(part * 100)} % simulated after ${passedS} s`);
    }
  });
  if (context.json) printJson(context, report);
  else context.print(renderPolicy(report, context.width));
  return EXIT.done;
}
