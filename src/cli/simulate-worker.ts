/** One thread of `tritmesh simulate`: hunts through its share of the seeds and tells what it found. */
import { parentPort, workerData } from 'node:worker_threads';
import { huntSeeds, type Ground } from '../sim/hunt.js';

/** What a thread is given. */
export interface HunterData {
  readonly ground: Ground;
  /** Shared by all threads: the least seed that broke so far. Above it nobody needs to look. */
  readonly least: BigInt64Array;
}

const { ground, least } = workerData as HunterData;
const hunt = huntSeeds(ground, (seed) => BigInt(seed) < Atomics.load(least, 0));
if (hunt.broken !== undefined) lower(BigInt(hunt.broken.plan.seed));
parentPort?.postMessage(hunt);

/** Another thread may have found a lesser one in between. */
function lower(seed: bigint): void {
  for (let known = Atomics.load(least, 0); seed < known;) {
    const before = Atomics.compareExchange(least, 0, known, seed);
    if (before === known) return;
    known = before;
  }
}
