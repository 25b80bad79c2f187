/** `tritmesh simulate --nodes N`: a whole mesh lives for hours of virtual time, and how it did is reported. */
import { printJson, type Context } from './context.js';
import { BadInput, EXIT } from './failure.js';
import { renderPolicy } from './render/policy.js';
import { isWorkloadName, runPolicy, type PolicyOptions } from '../sim/policy/run-policy.js';
import { WORKLOADS } from '../sim/policy/workload.js';

/** Most nodes of one simulation: memory and processor time go with their square, since each keeps a view of all others. */
const NODES_MAX = 1000;
/** Who asks for more than this is told that it takes long: 30 nodes live 17 minutes in 7 s, and 100 need ten times that. */
const NODES_SLOW = 50;

/** Reads the flags as commander gives them. */
export function readPolicyFlags(flags: Readonly<Record<string, unknown>>): PolicyOptions {
  const { workload: asked = 'lab' } = flags;
  const workload = typeof asked === 'string' ? asked : '';
  if (!isWorkloadName(workload)) {
    throw new BadInput('--workload', workload, `must be one of ${Object.keys(WORKLOADS).join(', ')}`);
  }
  const nodes = readNumber('--nodes', flags['nodes'], 1, NODES_MAX);
  if (!Number.isInteger(nodes)) throw new BadInput('--nodes', String(nodes), 'must be a whole number');
  const every = flags['stateEvery'];
  return {
    nodes,
    workload,
    hours: readNumber('--hours', flags['hours'] ?? '1', 0.01, 1000),
    seed: readNumber('--seed', flags['seed'] ?? '1', 0, Number.MAX_SAFE_INTEGER),
    compare: flags['compare'] === true,
    ...(every === undefined ? {} : { stateEveryMs: readNumber('--state-every', every, 1, 3600) * 1000 }),
  };
}

function readNumber(flag: string, value: unknown, least: number, most: number): number {
  const number = Number(value);
  if (number >= least && number <= most) return number;
  throw new BadInput(flag, String(value), `must be a number from ${least} to ${most}`);
}

/** Simulates. */
export function simulatePolicy(context: Context, options: PolicyOptions): number {
  if (options.nodes > NODES_SLOW && context.isTerminal) {
    context.say(`${options.nodes} nodes: each hears all others, so this takes its time; --hours 0.05 is a beginning`);
  }
  const report = runPolicy(options, (name) => {
    if (context.isTerminal) context.say(`lived through: ${name}`);
  });
  if (context.json) printJson(context, report);
  else context.print(renderPolicy(report, context.width));
  return EXIT.done;
}
