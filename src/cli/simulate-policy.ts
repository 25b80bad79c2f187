/** `tritmesh simulate --nodes N`: a whole mesh lives for hours of virtual time, and how it did is reported. */
import { printJson, type Context } from './context.js';
import { BadInput, EXIT } from './failure.js';
import { renderPolicy } from './render/policy.js';
import { isWorkloadName, runPolicy, type PolicyOptions } from '../sim/policy/run-policy.js';
import { WORKLOADS } from '../sim/policy/workload.js';

/** Most nodes of one simulation: memory and processor time go with their square, since each keeps a view of all others. */
const NODES_MAX = 1000;
/** From here on a run takes long enough that its progress is told even to a file. */
const NODES_SLOW = 50;

/** Reads the flags as commander gives them. */
export function readPolicyFlags(flags: Readonly<Record<string, unknown>>): PolicyOptions {
  const { workload: asked = 'lab' } = flags;
  const workload = typeof asked === 'string' ? asked : '';
  if (!isWorkloadName(workload)) {
    throw new BadInput('--workload', workload, `must be one of ${Object.keys(WORKLOADS).join(', ')}`);
  }
  const nodes = readCount('--nodes', flags['nodes']);
  if (nodes > NODES_MAX) throw new BadInput('--nodes', String(nodes), `must be at most ${NODES_MAX}`);
  const every = flags['stateEvery'];
  return {
    nodes,
    workload,
    hours: readNumber('--hours', flags['hours'] ?? '1', 0.01, 1000),
    seed: readNumber('--seed', flags['seed'] ?? '1', 0, Number.MAX_SAFE_INTEGER),
    seeds: readCount('--seeds', flags['seeds'] ?? '1'),
    compare: flags['compare'] === true,
    ...(every === undefined ? {} : { stateEveryMs: readNumber('--state-every', every, 1, 3600) * 1000 }),
  };
}

function readCount(flag: string, value: unknown): number {
  const count = Number(value);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new BadInput(flag, String(value), 'must be a whole number from 1 on');
}

function readNumber(flag: string, value: unknown, least: number, most: number): number {
  const number = Number(value);
  if (number >= least && number <= most) return number;
  throw new BadInput(flag, String(value), `must be a number from ${least} to ${most}`);
}

/** Simulates. */
export function simulatePolicy(context: Context, options: PolicyOptions): number {
  const startedAt = performance.now();
  const report = runPolicy(options, (policy, seed, part) => {
    const passedS = Math.round((performance.now() - startedAt) / 1000);
    if (context.isTerminal || part === 1 || options.nodes > NODES_SLOW) {
      context.say(`${policy}, seed ${seed}: ${Math.round(part * 100)} % lived after ${passedS} s`);
    }
  });
  if (context.json) printJson(context, report);
  else context.print(renderPolicy(report, context.width));
  return EXIT.done;
}
