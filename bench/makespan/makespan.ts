/**
 * `makespan`: how long 60 processor-bound jobs of mixed length take on three unequal machines (cgroups with CPU quotas),
 * one of which is busy with its owner's own work: with tritmesh, with GNU parallel on the same slots, and ideally. Also
 * how far the owner's own work gets meanwhile, compared with being alone.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { round, type Figure } from '../measure/figure.js';
import { median } from '../measure/turns.js';
import { startConversation } from '../setup/conversation.js';
import { findInstalled } from '../setup/find-installed.js';
import type { Scratch } from '../setup/scratch.js';
import { createMachines, findMachinesFault, type Machines } from './cgroups.js';
import { drawLengths, findIdeal, readTimes, type Machine } from './jobs.js';
import { prepareParallel } from './run-parallel.js';
import { startTritmesh, type RunAll } from './run-tritmesh.js';

const MACHINES: readonly Machine[] = [
  { name: 'large', cpus: 0.8, slots: 3, ownCpus: 0 },
  { name: 'medium', cpus: 0.5, slots: 2, ownCpus: 0.45 },
  { name: 'small', cpus: 0.25, slots: 1, ownCpus: 0 },
];
const BUSY: Machine | undefined = MACHINES.find(({ ownCpus }) => ownCpus > 0);
const JOBS = 60;
const TOTAL_CPU_S = 60;
const SEED = 10;
const AIM = 1.15;
const ALONE_MS = 10_000;
const PERIOD_MS = 200;
const TRIALS = 3;
const TRIAL_STEPS = 2_000_000;

/** Runs the benchmark; yields a figure for each program. */
export async function* measureMakespan(scratch: Scratch): AsyncGenerator<Figure> {
  const fault = findMachinesFault();
  if (fault !== undefined) return console.error(`skipped: makespan needs ${fault}`);
  const lengths = drawLengths(JOBS, TOTAL_CPU_S, SEED);
  const machines = createMachines(scratch, MACHINES);
  const readPieces = await startOwnWork(scratch, machines);
  const alone = await findProgress(readPieces, () => sleep(ALONE_MS));
  for (const name of ['tritmesh', 'parallel'] as const) {
    if (name === 'parallel' && findInstalled(name) === undefined) {
      console.error('skipped: parallel is not installed on this machine: apt-get install parallel');
      continue;
    }
    const inner = scratch.open();
    const runAll = await (name === 'tritmesh' ? startTritmesh : prepareParallel)(inner, MACHINES, machines);
    const jobs = await describeJobs(inner, machines, lengths);
    console.error(`makespan: ${name} begins`);
    const { seconds, perSecond } = await findProgress(readPieces, () => runAll(jobs));
    await inner.close();
    const ideal = findIdeal(lengths, MACHINES);
    yield {
      bench: 'makespan',
      by: name,
      jobs: JOBS,
      work_cpu_s: TOTAL_CPU_S,
      makespan_s: round(seconds),
      ideal_s: round(ideal),
      ratio: round(seconds / ideal),
      aim_ratio: AIM,
      own_work_per_s: round(perSecond),
      floor_own_work_per_s: round(alone.perSecond),
      own_work_ratio: round(perSecond / alone.perSecond),
    };
  }
}

/**
 * The commands of the jobs. Their length is a number of steps, calibrated now, in a machine: no other program can starve
 * it there, and only processor time counts.
 */
async function describeJobs(
  scratch: Scratch,
  { enter }: Machines,
  lengths: readonly number[],
): Promise<Parameters<RunAll>[0]> {
  const script = join(scratch.directory, 'job.sh');
  writeFileSync(script, 'i=0\nwhile [ $i -lt "$1" ]; do i=$((i + 1)); done\n[ -z "$2" ] || times\n');
  const trials: number[] = [];
  for (let trial = 0; trial < TRIALS; trial += 1) {
    const { stdout } = await promisify(execFile)(enter, [
      MACHINES[0]?.name ?? '',
      'sh',
      script,
      String(TRIAL_STEPS),
      'times',
    ]);
    trials.push(readTimes(stdout));
  }
  const stepsPerS = TRIAL_STEPS / median(trials);
  return lengths.map((length) => ['sh', script, String(Math.round(length * stepsPerS))]);
}

/** The number of pieces of the owner's own work that are done. */
type ReadPieces = () => Promise<number>;

/** Starts the owner's own work, which goes on until the scratch is closed. */
async function startOwnWork(scratch: Scratch, { enter }: Machines): Promise<ReadPieces> {
  const program = fileURLToPath(new URL('./owner-work.mjs', import.meta.url));
  const cpuMs = (BUSY?.ownCpus ?? 0) * PERIOD_MS;
  const argv = [process.execPath, program, String(cpuMs), String(PERIOD_MS)];
  const work = startConversation(scratch, [enter, BUSY?.name ?? '', ...argv]);
  await work.nextLine();
  return async () => {
    work.write('');
    return Number(await work.nextLine());
  };
}

interface Progress {
  readonly seconds: number;
  /** Pieces of the owner's own work per second. */
  readonly perSecond: number;
}

async function findProgress(readPieces: ReadPieces, act: () => Promise<unknown>): Promise<Progress> {
  const before = await readPieces();
  const begun = performance.now();
  await act();
  const seconds = (performance.now() - begun) / 1000;
  return { seconds, perSecond: ((await readPieces()) - before) / seconds };
}
