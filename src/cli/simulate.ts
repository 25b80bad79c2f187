/** `tritmesh simulate`: lives whole meshes in virtual time, one for each seed, and says which promise broke and how. */
import { Worker } from 'node:worker_threads';
import type { Fate } from '../sim/live.js';
import type { Hunt } from '../sim/hunt.js';
import type { HunterData } from './simulate-worker.js';
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
  const { drawPlan } = await import('../sim/draw-plan.js');
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
  const { drawPlan } = await import('../sim/draw-plan.js');
  const { shrinkPlan } = await import('../sim/shrink.js');
  const plan = shrinkPlan(drawPlan(seed));
  const lines: string[] = [];
  const fate = live(plan, (line) => lines.push(line));
  return renderBroken(plan, fate, lines);
}

async function hunt(context: Context, flags: SimulateFlags): Promise<number> {
  const { first, seeds } = flags;
  const least = new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)).fill(NONE_BROKE);
  const stride = Math.min(flags.workers, seeds);
  const hunters = Array.from({ length: stride }, (_, index) =>
    huntInWorker({ ground: { first: first + index, end: first + seeds, stride }, least }),
  );
  const total = sumUp(await Promise.all(hunters));
  if (context.json) printJson(context, { ...total, broken: total.broken?.fate });
  else context.print(total.broken === undefined ? renderHunt(total) : await explain(total.broken.plan.seed));
  return total.broken === undefined ? EXIT.done : EXIT.failed;
}

/** Above every seed. */
const NONE_BROKE = 2n ** 62n;

function huntInWorker(workerData: HunterData): Promise<Hunt> {
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
