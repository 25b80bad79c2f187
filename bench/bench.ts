/**
 * The benchmarks: `npm run bench [dispatch|throughput|agent|journal|migrate …] [--json]`. Each measures tritmesh and a
 * baseline (`floor`) in the same run, and is cleaned up before the next one begins. Nothing is judged: the targets
 * (`aim`) are printed next to the figures.
 */
import { parseArgs } from 'node:util';
import { measureAgent } from './agent.js';
import { measureDispatch } from './dispatch.js';
import { openScratch, type Scratch } from './setup/scratch.js';
import { measureJournal } from './journal.js';
import { formatFigures, type Figure } from './measure/figure.js';
import { measureMigrate } from './migrate.js';
import { measureThroughput } from './throughput.js';

/** A benchmark; it yields its figures as soon as it has them. */
type Benchmark = (scratch: Scratch) => AsyncIterable<Figure>;

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  dispatch: measureDispatch,
  throughput: measureThroughput,
  agent: measureAgent,
  journal: measureJournal,
  migrate: measureMigrate,
};

process.exitCode = await runBench(process.argv.slice(2));

async function runBench(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: { json: { type: 'boolean' } },
  });
  const wrong = positionals.find((name) => !Object.hasOwn(BENCHMARKS, name));
  if (wrong !== undefined) {
    console.error(`unknown benchmark ${wrong}: must be one of ${Object.keys(BENCHMARKS).join(', ')}`);
    return 64;
  }
  const chosen = positionals.length === 0 ? Object.keys(BENCHMARKS) : positionals;
  for (const name of chosen) await runOne(BENCHMARKS[name], values.json === true);
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
      figures.push(figure);
      if (asJson) console.log(JSON.stringify(figure));
    }
  } finally {
    await scratch.close();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
  if (!asJson && figures.length > 0) console.log(formatFigures(figures));
}
