/**
 * `tritmesh simulate`: simulates whole meshes in virtual time, one per seed, and reports which promise broke and how.
 */
import { Worker } from 'node:worker_threads';
import type { RunResult } from '../../sim/run-plan.js';
import type { Hunt } from '../../sim/hunt.js';
import { readCount } from '../flag-values.js';
import type { WorkerData } from './simulate-worker.js';
import { printJson, type Context } from '../context.js';
import { EXIT } from '../failure.js';
import { renderBroken, renderHunt } from '../render/simulation.js';

/** The flags, parsed. */
export interface SimulateFlags {
  readonly seed: number | undefined;
  readonly seeds: number;
  readonly first: number;
  readonly trace: boolean;
  readonly workers: number;
}

/** Parses the flags as commander returns them. Throws BadInput. */
export function readSimulateFlags(flags: Readonly<Record<string, unknown>>): SimulateFlags {
  return {
    seed: flags['seed'] === undefined ? undefined : readCount('--seed', flags['seed'], 0),
    seeds: readCount('--seeds', flags['seeds'] ?? '200', 1),
    first: readCount('--first', flags['first'] ?? '1', 0),
    trace: flags['trace'] === true,
    workers: readCount('--workers', flags['workers'] ?? '2', 1),
  };
}

/** Simulates; resolves with exit code 1 when a promise broke. */
export async function simulate(context: Context, flags: SimulateFlags): Promise<number> {
  return flags.seed === undefined ? hunt(context, flags) : replay(context, flags.seed, flags.trace);
}

async function replay(context: Context, seed: number, traced: boolean): Promise<number> {
  const { runPlan } = await import('../../sim/run-plan.js');
  const { generatePlan } = await import('../../sim/plan/generate-plan.js');
  const plan = generatePlan(seed);
  const result = runPlan(plan, traced && !context.json ? (line) => context.print(`${line}\n`) : undefined);
  if (context.json) printJson(context, result);
  else if (result.violations.length === 0) context.print(renderHunt(sumUp([toHunt(result)])));
  else context.print(await explain(seed));
  return result.violations.length === 0 ? EXIT.done : EXIT.failed;
}

function toHunt(result: RunResult): Hunt {
  const { faults, items, executions, steps, endedAt } = result;
  return { seeds: 1, broken: undefined, faults, items, executions, steps, livedMs: endedAt };
}

/** Shrinks the plan of a broken seed to what is needed, and renders it with the trace of the shrunk run. */
async function explain(seed: number): Promise<string> {
  const { runPlan } = await import('../../sim/run-plan.js');
  const { generatePlan } = await import('../../sim/plan/generate-plan.js');
  const { shrinkPlan } = await import('../../sim/plan/shrink.js');
  const plan = shrinkPlan(generatePlan(seed));
  const lines: string[] = [];
  const result = runPlan(plan, (line) => lines.push(line));
  return renderBroken(plan, result, lines);
}

async function hunt(context: Context, flags: SimulateFlags): Promise<number> {
  const { first, seeds } = flags;
  const lowest = new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)).fill(NONE_BROKE);
  const stride = Math.min(flags.workers, seeds);
  const workers = Array.from({ length: stride }, (_, index) =>
    huntInWorker({ range: { first: first + index, end: first + seeds, stride }, lowest }),
  );
  const total = sumUp(await Promise.all(workers));
  if (context.json) printJson(context, { ...total, broken: total.broken?.result });
  else context.print(total.broken === undefined ? renderHunt(total) : await explain(total.broken.plan.seed));
  return total.broken === undefined ? EXIT.done : EXIT.failed;
}

/** Initial value of the lowest broken seed: above every seed. */
const NONE_BROKE = 2n ** 62n;

function huntInWorker(workerData: WorkerData): Promise<Hunt> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('simulate-worker.js', import.meta.url), { workerData });
    worker.once('message', (found: Hunt) => resolve(found));
    worker.once('error', reject);
  });
}

function sumUp(hunts: readonly Hunt[]): Hunt {
  const add = (pick: (one: Hunt) => number): number => hunts.reduce((sum, one) => sum + pick(one), 0);
  const broken = hunts.flatMap((one) => one.broken ?? []);
  return {
    seeds: add((one) => one.seeds),
    faults: add((one) => one.faults),
    items: add((one) => one.items),
    executions: add((one) => one.executions),
    steps: add((one) => one.steps),
    livedMs: add((one) => one.livedMs),
    broken: broken.toSorted((a, b) => a.plan.seed - b.plan.seed)[0],
  };
}
