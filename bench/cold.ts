/**
 * `cold`: a whole `tritmesh run -- true`, from its start to its end, while the job runs on another node. The baseline, in
 * turns, is `node -e 0`. `start` is the time from the start of the command to the start of its job.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { NO_OP } from './setup/burst.js';
import type { Pair } from './setup/pair.js';
import { startPairs, type BrokerPair } from './setup/pairs.js';
import { cleanVariables, TRITMESH } from './setup/program.js';
import type { Scratch } from './setup/scratch.js';
import { quantile, round, type Figure } from './measure/figure.js';
import { readStamp, setWallClock, STAMP_ARGV } from './measure/stamp.js';
import { median, medianRatio } from './measure/turns.js';

const ROUNDS = 20;
/** The target, as a multiple of `node -e 0`. */
const AIM = 1.6;

interface Subject extends BrokerPair {
  /** Times of whole commands, ms. */
  readonly whole: number[];
  /** Times until the job started, ms. */
  readonly start: number[];
}

/** Runs the benchmark; yields a figure for each broker. */
export async function* measureCold(scratch: Scratch): AsyncGenerator<Figure> {
  const subjects: Subject[] = (await startPairs(scratch)).map((one) => ({ ...one, whole: [], start: [] }));
  const floors: number[] = [];
  // The first round fills the caches of the file system and does not count.
  for (let turn = 0; turn <= ROUNDS; turn += 1) {
    const floor = (await runNode(['-e', '0'])).ms;
    if (turn > 0) floors.push(floor);
    for (const { pair, whole, start } of subjects) {
      const ran = await runNode(runArgv(pair, NO_OP));
      const stamped = await runNode(runArgv(pair, STAMP_ARGV));
      if (turn === 0) continue;
      whole.push(ran.ms);
      start.push((readStamp(stamped.stdout) ?? Number.NaN) - stamped.begun);
    }
  }
  for (const { broker, whole, start } of subjects) {
    yield {
      bench: 'cold',
      broker: broker.name,
      runs: whole.length,
      p50_ms: round(median(whole)),
      p90_ms: round(quantile(whole, 0.9)),
      floor_p50_ms: round(median(floors)),
      ratio: round(medianRatio(whole, floors)),
      aim_ratio: AIM,
      start_p50_ms: round(median(start)),
    };
  }
}

function runArgv(pair: Pair, argv: readonly string[]): readonly string[] {
  return [TRITMESH, 'run', ...pair.flags, '--cpus', '0.01', '--', ...argv];
}

interface Ran {
  /** When it was started, ms since 1970. */
  readonly begun: number;
  readonly ms: number;
  readonly stdout: string;
}

async function runNode(argv: readonly string[]): Promise<Ran> {
  const wall = setWallClock();
  const begun = wall();
  const { stdout } = await promisify(execFile)(process.execPath, argv, { env: cleanVariables() });
  return { begun, ms: wall() - begun, stdout };
}
