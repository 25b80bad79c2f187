/**
 * `throughput`: a thousand no-ops submitted at once on one node and run on another, until the last one is settled, in
 * turns on each broker. The baseline is bare spawns of the same program, as many at a time as the receiver has slots,
 * half of them before and half after the jobs of each broker.
 */
import type { BenchBroker } from './setup/brokers.js';
import { spawnJobs, submitJobs } from './setup/burst.js';
import { SLOTS } from './setup/pair.js';
import { startPairs, type BrokerPair } from './setup/pairs.js';
import type { Scratch } from './setup/scratch.js';
import { round, type Figure } from './measure/figure.js';
import { median, medianRatio } from './measure/turns.js';

const ROUNDS = 3;
const JOBS = 1000;
const WARM_JOBS = 50;
/** The targets, as a part of the baseline's jobs per second. */
const AIMS: Readonly<Record<BenchBroker['name'], number>> = { aedes: 0.45, mosquitto: 0.6 };

interface Subject extends BrokerPair {
  /** Jobs per second of each round. */
  readonly rates: number[];
  readonly floors: number[];
}

/** Runs the benchmark; yields a figure for each broker. */
export async function* measureThroughput(scratch: Scratch): AsyncGenerator<Figure> {
  const subjects: Subject[] = [];
  for (const one of await startPairs(scratch)) {
    await submitJobs(one.pair, 'warm', WARM_JOBS);
    subjects.push({ ...one, rates: [], floors: [] });
  }
  await spawnJobs(WARM_JOBS);
  let before = await spawnJobs(JOBS / 2);
  for (let turn = 1; turn <= ROUNDS; turn += 1) {
    for (const { pair, rates, floors } of subjects) {
      rates.push(await submitJobs(pair, `job-${turn}`, JOBS));
      const after = await spawnJobs(JOBS / 2);
      floors.push(2 / (1 / before + 1 / after));
      before = after;
    }
  }
  for (const { broker, rates, floors } of subjects) {
    yield {
      bench: 'throughput',
      broker: broker.name,
      jobs: JOBS * ROUNDS,
      slots: SLOTS,
      jobs_per_s: round(median(rates)),
      floor_jobs_per_s: round(median(floors)),
      ratio: round(medianRatio(rates, floors)),
      aim_ratio: AIMS[broker.name],
    };
  }
}
