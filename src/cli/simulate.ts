/** `tritmesh simulate`: lives whole meshes in virtual time, one for each seed, and says which promise broke and how. */
import { Worker } from 'node:worker_threads';
import type { Fate } from '../sim/live.js';
import type { Hunt } from '../sim/hunt.js';
import { printJson, type Context } from './context.js';
import { BadInput, EXIT } from './failure.js';
import { renderBroken, renderHunt } from './render/simulation.js';

/** What to simulate. */
export interface SimulateFlags {
  readonly seed: number | undefined;
  readonly seeds: number;
  readonly first: number;
  readonly trace: boolean;
  readonly workers: number;
}

/** Reads the flags as commander gives them. */
export function readSimulateFlags(flags: Readonly<Record<string, unknown>>): SimulateFlags {
  return {
    seed: flags['seed'] === undefined ? undefined : readCount('--seed', flags['seed'], 0),
    seeds: readCount('--seeds', flags['seeds'] ?? '200', 1),
    first: readCount('--first', flags['first'] ?? '1', 0),
    trace: flags['trace'] === true,
    workers: readCount('--workers', flags['workers'] ?? '2', 1),
  };
}

function readCount(flag: string, value: unknown, least: number): number {
  const count = Number(value);
  if (Number.isSafeInteger(count) && count >= least) return count;
  throw new BadInput(flag, String(value), `must be a whole number from ${least} on`);
}

/** Simulates; exit code 1 when a promise broke. */
export async function simulate(context: Context, flags: SimulateFlags): Promise<number> {
  return flags.seed === undefined ? hunt(context, flags) : replay(context, flags.seed, flags.trace);
}

async function replay(context: Context, seed: number, traced: boolean): Promise<number> {
  const { live } = await import('../sim/live.js');
  const { drawPlan } = await import('../sim/plan.js');
  const plan = drawPlan(seed);
  const fate = live(plan, traced && !context.json ? (line) => context.print(`${line}\n`) : undefined);
  if (context.json) printJson(context, fate);
  else if (fate.violations.length === 0) context.print(renderHunt(sumUp([toHunt(fate)])));
  else context.print(await explain(seed));
  return fate.violations.length === 0 ? EXIT.done : EXIT.failed;
}

function toHunt(fate: Fate): Hunt {
  const { faults, items, executions, steps, endedAt } = fate;
  return { seeds: 1, broken: undefined, faults, items, executions, steps, livedMs: endedAt };
}

/** A broken seed, shortened to what is needed, with the trace of the short one. */
async function explain(seed: number): Promise<string> {
  const { live } = await import('../sim/live.js');
  const { drawPlan } = await import('../sim/plan.js');
  const { shrinkPlan } = await import('../sim/shrink.js');
  const plan = shrinkPlan(drawPlan(seed));
  const lines: string[] = [];
  const fate = live(plan, (line) => lines.push(line));
  return renderBroken(plan, fate, lines);
}

async function hunt(context: Context, flags: SimulateFlags): Promise<number> {
  const share = Math.ceil(flags.seeds / flags.workers);
  const shares = Array.from({ length: flags.workers }, (_, index) => ({
    first: flags.first + index * share,
    count: Math.max(0, Math.min(share, flags.seeds - index * share)),
  })).filter((one) => one.count > 0);
  const total = sumUp(await Promise.all(shares.map((one) => huntInWorker(one))));
  if (context.json) printJson(context, { ...total, broken: total.broken?.fate });
  else context.print(total.broken === undefined ? renderHunt(total) : await explain(total.broken.plan.seed));
  return total.broken === undefined ? EXIT.done : EXIT.failed;
}

function huntInWorker(share: { readonly first: number; readonly count: number }): Promise<Hunt> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('simulate-worker.js', import.meta.url), { workerData: share });
    worker.once('message', (found: Hunt) => resolve(found));
    worker.once('error', reject);
  });
}

function sumUp(hunts: readonly Hunt[]): Hunt {
  const add = (pick: (one: Hunt) => number): number => hunts.reduce((sum, one) => sum + pick(one), 0);
  return {
    seeds: add((one) => one.seeds),
    faults: add((one) => one.faults),
    items: add((one) => one.items),
    executions: add((one) => one.executions),
    steps: add((one) => one.steps),
    livedMs: add((one) => one.livedMs),
    broken: hunts.find((one) => one.broken !== undefined)?.broken,
  };
}
