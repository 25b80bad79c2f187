/**
 * `dispatch`: the time from submit to the start of the process on another node, for one no-op after another, on each
 * broker. The baseline, in turns, is a bare spawn of the same program from the same process. Jobs are submitted through
 * the library, as a long-running program does; a cold `tritmesh run` is measured separately.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import mqtt from 'mqtt';
import { BASE, listBrokers, startBroker, type BenchBroker } from './setup/brokers.js';
import { startPair, type Pair } from './setup/pair.js';
import { cleanVariables, TRITMESH } from './setup/program.js';
import type { Scratch } from './setup/scratch.js';
import { quantile, round, type Figure } from './measure/figure.js';
import { measureRoundTrip } from './measure/round-trip.js';
import { readStamp, setWallClock, STAMP_ARGV, stampSpawns } from './measure/stamp.js';

const ROUNDS = 10;
const JOBS_A_ROUND = 20;
const COLD_RUNS = 10;
const ROUND_TRIPS = 200;
/** The targets, as multiples of the bare spawn. */
const AIMS: Readonly<Record<BenchBroker['name'], number>> = { aedes: 3, mosquitto: 2.5 };

/** Runs the benchmark; yields a figure for each broker. */
export async function* measureDispatch(scratch: Scratch): AsyncGenerator<Figure> {
  for (const name of listBrokers()) {
    const inner = scratch.open();
    yield await measureOn(inner, await startBroker(inner, name));
    await inner.close();
  }
}

async function measureOn(scratch: Scratch, broker: BenchBroker): Promise<Figure> {
  const pair = await startPair(scratch, broker);
  const stamps = await listenForStamps(scratch, broker);
  const file = join(scratch.directory, 'stamps');
  const floor: number[] = [];
  const jobs: number[] = [];
  // The first round warms up both sides and does not count.
  for (let turn = 0; turn <= ROUNDS; turn += 1) {
    const spawned = await stampSpawns(JOBS_A_ROUND, file);
    const dispatched = await dispatchJobs(pair, stamps, `job-${turn}`);
    if (turn === 0) continue;
    floor.push(...spawned);
    jobs.push(...dispatched);
  }
  const cold = await runCold(pair);
  const [p50, floorP50] = [quantile(jobs, 0.5), quantile(floor, 0.5)];
  return {
    bench: 'dispatch',
    broker: broker.name,
    jobs: jobs.length,
    p50_ms: round(p50),
    p99_ms: round(quantile(jobs, 0.99)),
    floor_p50_ms: round(floorP50),
    floor_p99_ms: round(quantile(floor, 0.99)),
    ratio: round(p50 / floorP50),
    aim_ratio: AIMS[broker.name],
    round_trip_p50_ms: round(await measureRoundTrip(broker.url, ROUND_TRIPS)),
    cold_run_p50_ms: round(quantile(cold, 0.5)),
  };
}

/** Waits until the bus reports the end of a job, and returns the time stamp that is its output, ms since 1970. */
type Stamps = (item: string) => Promise<number>;

async function listenForStamps(scratch: Scratch, broker: BenchBroker): Promise<Stamps> {
  const client = await mqtt.connectAsync(broker.url, { clientId: 'bench-stamps' });
  scratch.defer(() => client.endAsync());
  const stamps = new Map<string, number>();
  const waiting = new Map<string, (stamp: number) => void>();
  client.on('message', (topic, payload) => {
    // An old status that is cleared.
    if (payload.length === 0) return;
    const [, , , item = '', kind] = topic.split('/');
    const { text, phase } = JSON.parse(payload.toString()) as { readonly text?: string; readonly phase?: string };
    if (kind === 'log') stamps.set(item, readStamp(text ?? '') ?? Number.NaN);
    if (kind === 'status' && phase === 'done') waiting.get(item)?.(stamps.get(item) ?? Number.NaN);
  });
  await client.subscribeAsync([`${BASE}/work/owner/+/log/+`, `${BASE}/work/owner/+/status`]);
  return (item) => new Promise((resolve) => waiting.set(item, resolve));
}

async function dispatchJobs(pair: Pair, stamps: Stamps, round: string): Promise<readonly number[]> {
  const wall = setWallClock();
  const times: number[] = [];
  for (let index = 0; index < JOBS_A_ROUND; index += 1) {
    const item = `${round}-${index}`;
    const ended = stamps(item);
    const begun = wall();
    await pair.submit(item, STAMP_ARGV);
    times.push((await ended) - begun);
  }
  return times;
}

/** Times from the start of a cold `tritmesh run` to the start of its job, ms. */
async function runCold(pair: Pair): Promise<readonly number[]> {
  const times: number[] = [];
  for (let index = 0; index < COLD_RUNS; index += 1) {
    const wall = setWallClock();
    const argv = [TRITMESH, 'run', ...pair.flags, '--cpus', '0.01', '--', ...STAMP_ARGV];
    const begun = wall();
    const { stdout } = await promisify(execFile)(process.execPath, argv, { env: cleanVariables() });
    times.push((readStamp(stdout) ?? Number.NaN) - begun);
  }
  return times;
}
