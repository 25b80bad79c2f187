/**
 * `throughput`: a thousand no-ops submitted at once on one node and run on another, until the last one is settled. The
 * baseline is bare spawns of the same program, as many at a time as the receiver has slots, half of them before and
 * half after.
 */
import { bufferCount, firstValueFrom } from 'rxjs';
import { listBrokers, startBroker, type BenchBroker } from './setup/brokers.js';
import { SLOTS, startPair, type Pair } from './setup/pair.js';
import type { Scratch } from './setup/scratch.js';
import { round, type Figure } from './measure/figure.js';
import { runProgram } from './measure/stamp.js';

const JOBS = 1000;
const WARM_JOBS = 50;
const NO_OP: readonly string[] = ['true'];
/** The target, as a part of the baseline's jobs per second. */
const AIM = 0.5;

/** Runs the benchmark; yields a figure for each broker. */
export async function* measureThroughput(scratch: Scratch): AsyncGenerator<Figure> {
  for (const name of listBrokers()) {
    const inner = scratch.open();
    yield await measureOn(inner, await startBroker(inner, name));
    await inner.close();
  }
}

async function measureOn(scratch: Scratch, broker: BenchBroker): Promise<Figure> {
  const pair = await startPair(scratch, broker);
  await submitJobs(pair, 'warm', WARM_JOBS);
  await spawnJobs(WARM_JOBS);
  const before = await spawnJobs(JOBS / 2);
  const rate = await submitJobs(pair, 'job', JOBS);
  const after = await spawnJobs(JOBS / 2);
  const floor = 2 / (1 / before + 1 / after);
  return {
    bench: 'throughput',
    broker: broker.name,
    jobs: JOBS,
    slots: SLOTS,
    jobs_per_s: round(rate),
    floor_jobs_per_s: round(floor),
    ratio: round(rate / floor),
    aim_ratio: AIM,
  };
}

/** Submits all jobs at once; returns jobs per second. */
async function submitJobs(pair: Pair, name: string, count: number): Promise<number> {
  const all = firstValueFrom(pair.settled$.pipe(bufferCount(count)));
  const begun = performance.now();
  const submitted = Array.from({ length: count }, (_, index) => pair.submit(`${name}-${index}`, NO_OP));
  await Promise.all([...submitted, all]);
  return (count / (performance.now() - begun)) * 1000;
}

/** Spawns without tritmesh, as many at a time as there are slots; returns jobs per second. */
async function spawnJobs(count: number): Promise<number> {
  let left = count;
  const work = async (): Promise<void> => {
    for (; left > 0;) {
      left -= 1;
      await runProgram(NO_OP, 'ignore');
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: SLOTS }, work));
  return (count / (performance.now() - begun)) * 1000;
}
