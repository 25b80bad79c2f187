/**
 * `dispatch`: the time from submit to the start of the process on another node, for one no-op after another. The
 * baseline, in turns with the brokers, is a bare spawn of the same program from the same process. Jobs are submitted
 * through the library, as a long-running program does.
 */
import { join } from 'node:path';
import type { BenchBroker } from './setup/brokers.js';
import { startPairs, type BrokerPair } from './setup/pairs.js';
import type { Scratch } from './setup/scratch.js';
import { dispatchJobs, listenForStamps, type Stamps } from './setup/stamps.js';
import { quantile, round, type Figure } from './measure/figure.js';
import { measureRoundTrip } from './measure/round-trip.js';
import { stampSpawns } from './measure/stamp.js';
import { median, medianRatio } from './measure/turns.js';

const ROUNDS = 10;
const JOBS_A_ROUND = 20;
const ROUND_TRIPS = 200;
/** The targets, as multiples of the bare spawn. */
const AIMS: Readonly<Record<BenchBroker['name'], number>> = { aedes: 1.9, mosquitto: 1.6 };

interface Subject extends BrokerPair {
  readonly stamps: Stamps;
  /** Times of the jobs of each round, ms. */
  readonly rounds: (readonly number[])[];
}

/** Runs the benchmark; yields a figure for each broker. */
export async function* measureDispatch(scratch: Scratch): AsyncGenerator<Figure> {
  const subjects: Subject[] = [];
  for (const one of await startPairs(scratch)) {
    subjects.push({ ...one, stamps: await listenForStamps(one.scratch, one.broker), rounds: [] });
  }
  const floors: (readonly number[])[] = [];
  // The first round warms up both sides and does not count.
  for (let turn = 0; turn <= ROUNDS; turn += 1) {
    const spawned = await stampSpawns(JOBS_A_ROUND, join(scratch.directory, 'stamps'));
    if (turn > 0) floors.push(spawned);
    for (const { pair, stamps, rounds } of subjects) {
      const dispatched = await dispatchJobs(pair, stamps, `job-${turn}`, JOBS_A_ROUND);
      if (turn > 0) rounds.push(dispatched);
    }
  }
  for (const subject of subjects) yield await describe(subject, floors);
}

async function describe({ broker, rounds }: Subject, floors: readonly (readonly number[])[]): Promise<Figure> {
  const [jobs, floor] = [rounds.flat(), floors.flat()];
  return {
    bench: 'dispatch',
    broker: broker.name,
    jobs: jobs.length,
    p50_ms: round(median(jobs)),
    p99_ms: round(quantile(jobs, 0.99)),
    floor_p50_ms: round(median(floor)),
    floor_p99_ms: round(quantile(floor, 0.99)),
    ratio: round(medianRatio(rounds.map(median), floors.map(median))),
    aim_ratio: AIMS[broker.name],
    round_trip_p50_ms: round(await measureRoundTrip(broker.url, ROUND_TRIPS)),
  };
}
