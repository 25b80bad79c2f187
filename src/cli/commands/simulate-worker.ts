/** One thread of `tritmesh simulate`: runs its share of the seeds and posts the outcome to the main thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { huntSeeds, type SeedRange } from '../../sim/hunt.js';

/** The `workerData` of a thread. */
export interface WorkerData {
  readonly range: SeedRange;
  /** Shared by all threads: the lowest broken seed so far. Seeds above it need not be run. */
  readonly lowest: BigInt64Array;
}

const { range, lowest } = workerData as WorkerData;
const hunt = huntSeeds(range, (seed) => BigInt(seed) < Atomics.load(lowest, 0));
if (hunt.broken !== undefined) lower(BigInt(hunt.broken.plan.seed));
parentPort?.postMessage(hunt);

/** Lowers the shared seed atomically: another thread may have found a lower one in the meantime. */
function lower(seed: bigint): void {
  for (let known = Atomics.load(lowest, 0); seed < known;) {
    const before = Atomics.compareExchange(lowest, 0, known, seed);
    if (before === known) return;
    known = before;
  }
}
