/**
 * The benchmarks: `npm run bench [-- NAME …] [--json]`. Each measures tritmesh and a baseline (`floor`) in turns, and is
 * cleaned up before the next one begins. Nothing is judged: the targets (`aim`) are printed next to the figures.
 */
import { parseBenchArguments } from './arguments.js';
import { measureAgent } from './agent.js';
import { measureCold } from './cold.js';
import { measureDispatch } from './dispatch.js';
import { measureJournal } from './journal.js';
import { measureMakespan } from './makespan/makespan.js';
import { formatFigures, type Figure } from './measure/figure.js';
import { describeMachine, readLoad } from './measure/machine.js';
import { measureMigrate } from './migrate.js';
import { measurePeers } from './peers/peers.js';
import { openScratch, type Scratch } from './setup/scratch.js';
import { measureThroughput } from './throughput.js';

/** A benchmark; it yields its figures as soon as it has them. */
type Benchmark = (scratch: Scratch) => AsyncIterable<Figure>;

const BENCHMARKS: ReadonlyMap<string, Benchmark> = new Map([
  ['dispatch', measureDispatch],
  ['throughput', measureThroughput],
  ['cold', measureCold],
  ['agent', measureAgent],
  ['journal', measureJournal],
  ['migrate', measureMigrate],
  ['peers', measurePeers],
  ['makespan', measureMakespan],
]);
/** They need other programs or root, and run only when they are named. */
const ON_REQUEST: readonly string[] = ['peers', 'makespan'];

// Each program that must not outlive a benchmark listens for its exit.
process.setMaxListeners(100);
process.exitCode = await runBench(process.argv.slice(2));

async function runBench(argv: readonly string[]): Promise<number> {
  const parsed = parseBenchArguments(argv, [...BENCHMARKS.keys()], ON_REQUEST);
  if ('fault' in parsed) {
    console.error(parsed.fault);
    return 2;
  }
  print([describeMachine()], parsed.asJson);
  for (const name of parsed.chosen) await runOne(BENCHMARKS.get(name), parsed.asJson);
  return 0;
}

async function runOne(benchmark: Benchmark | undefined, asJson: boolean): Promise<void> {
  if (benchmark === undefined) return;
  const scratch = openScratch();
  const stop = (): void => void scratch.close().then(() => process.exit(130));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const figures: Figure[] = [];
  try {
    for await (const figure of benchmark(scratch)) {
      const full = { ...figure, load: readLoad() };
      figures.push(full);
      if (asJson) print([full], asJson);
    }
  } finally {
    await scratch.close();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
  if (!asJson) print(figures, asJson);
}

function print(figures: readonly Figure[], asJson: boolean): void {
  if (asJson) for (const figure of figures) console.log(JSON.stringify(figure));
  else if (figures.length > 0) console.log(formatFigures(figures));
}
