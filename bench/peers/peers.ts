/**
 * `peers`: dispatch and throughput of other programs that run jobs, in turns with tritmesh and with the baseline of
 * both, bare spawns. All have as many slots, run the same programs, and speak over the loopback. What is not installed
 * is left out.
 */
import { join } from 'node:path';
import { round, type Figure } from '../measure/figure.js';
import { stampSpawns } from '../measure/stamp.js';
import { median, medianRatio } from '../measure/turns.js';
import { spawnJobs, submitJobs } from '../setup/burst.js';
import { findInstalled } from '../setup/find-installed.js';
import { startPairs } from '../setup/pairs.js';
import type { Scratch } from '../setup/scratch.js';
import { dispatchJobs, listenForStamps } from '../setup/stamps.js';
import { PARALLEL, PARALLEL_SSH } from './parallel.js';
import type { Peer, PeerKind } from './peer.js';
import { BULLMQ, CELERY, NATS } from './queues.js';
import { TASK_SPOOLER } from './task-spooler.js';

const KINDS: readonly PeerKind[] = [TASK_SPOOLER, PARALLEL, PARALLEL_SSH, BULLMQ, CELERY, NATS];
const DISPATCH_ROUNDS = 10;
const JOBS_A_ROUND = 10;
const BURST_ROUNDS = 3;
const BURST_JOBS = 300;

interface Subject {
  readonly name: string;
  readonly burstJobs: number;
  readonly peer: Peer;
  /** Times of the jobs of each round, ms. */
  readonly dispatched: (readonly number[])[];
  /** Jobs per second of each round. */
  readonly rates: number[];
  readonly floorRates: number[];
}

/** Runs the benchmark; yields a figure for each peer, those of tritmesh first. */
export async function* measurePeers(scratch: Scratch): AsyncGenerator<Figure> {
  const subjects = [...(await openTritmesh(scratch)), ...(await openPeers(scratch))];
  const floors = await measureDispatches(scratch, subjects);
  await measureBursts(subjects);
  for (const { name, burstJobs, dispatched, rates, floorRates } of subjects) {
    yield {
      bench: 'peers',
      peer: name,
      dispatch_p50_ms: round(median(dispatched.flat())),
      floor_p50_ms: round(median(floors.flat())),
      dispatch_ratio: round(medianRatio(dispatched.map(median), floors.map(median))),
      burst_jobs: burstJobs,
      jobs_per_s: round(median(rates)),
      floor_jobs_per_s: round(median(floorRates)),
      throughput_ratio: round(medianRatio(rates, floorRates)),
    };
  }
}

/** Measures in turns; the first round warms up and does not count. Returns the times of bare spawns, ms. */
async function measureDispatches(
  scratch: Scratch,
  subjects: readonly Subject[],
): Promise<readonly (readonly number[])[]> {
  const floors: (readonly number[])[] = [];
  for (let turn = 0; turn <= DISPATCH_ROUNDS; turn += 1) {
    console.error(`peers: dispatch, round ${turn} of ${DISPATCH_ROUNDS}`);
    const floor = await stampSpawns(JOBS_A_ROUND, join(scratch.directory, 'stamps'));
    if (turn > 0) floors.push(floor);
    for (const { peer, dispatched } of subjects) {
      const times = await peer.dispatch(JOBS_A_ROUND);
      if (turn > 0) dispatched.push(times);
    }
  }
  return floors;
}

/** The baseline of a burst is bare spawns, half of them before and half after. */
async function measureBursts(subjects: readonly Subject[]): Promise<void> {
  let before = await spawnJobs(BURST_JOBS / 2);
  for (let turn = 1; turn <= BURST_ROUNDS; turn += 1) {
    for (const { name, burstJobs, peer, rates, floorRates } of subjects) {
      console.error(`peers: throughput, round ${turn} of ${BURST_ROUNDS}, ${name}`);
      rates.push(await peer.burst(burstJobs));
      const after = await spawnJobs(BURST_JOBS / 2);
      floorRates.push(2 / (1 / before + 1 / after));
      before = after;
    }
  }
}

async function openTritmesh(scratch: Scratch): Promise<readonly Subject[]> {
  const subjects: Subject[] = [];
  for (const { broker, pair, scratch: inner } of await startPairs(scratch)) {
    const stamps = await listenForStamps(inner, broker);
    let rounds = 0;
    const nameRound = (): string => `round-${(rounds += 1)}`;
    const peer: Peer = {
      dispatch: (count) => dispatchJobs(pair, stamps, nameRound(), count),
      burst: (count) => submitJobs(pair, nameRound(), count),
    };
    subjects.push(createSubject(`tritmesh, ${broker.name}`, peer));
  }
  return subjects;
}

/** Starts the peers that this machine has; reports on stderr which are left out, and how to get them. */
async function openPeers(scratch: Scratch): Promise<readonly Subject[]> {
  const subjects: Subject[] = [];
  for (const kind of KINDS) {
    const missing = kind.programs.filter((program) => findInstalled(program) === undefined);
    if (missing.length > 0) {
      console.error(`skipped: ${kind.name} needs ${missing.join(', ')}: ${kind.install}`);
      continue;
    }
    const inner = scratch.open();
    try {
      subjects.push(createSubject(kind.name, await kind.open(inner), kind.burstJobs));
    } catch (error) {
      console.error(`skipped: ${kind.name} did not start: ${error instanceof Error ? error.message : String(error)}`);
      await inner.close();
    }
  }
  return subjects;
}

function createSubject(name: string, peer: Peer, burstJobs = BURST_JOBS): Subject {
  return { name, burstJobs, peer, dispatched: [], rates: [], floorRates: [] };
}
