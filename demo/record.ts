/**
 * `npm run demo:record`: runs the demo, records each line that it prints with its time, and writes
 * docs/images/demo.svg. Lines are never changed and never left out; only long pauses are cut (see animated-svg.ts),
 * while the seconds that the demo prints remain the real ones. Nothing is written unless the demo ends with 0.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { renderAnimation, type TimedLine } from './animated-svg.js';

const DEMO = fileURLToPath(new URL('demo.js', import.meta.url));
/** From dist/demo. */
const PICTURE = fileURLToPath(new URL('../../docs/images/demo.svg', import.meta.url));
/** Loaded before the demo: its stdout is a pipe here, and it uses colours only on a terminal. */
const AS_TERMINAL = 'data:text/javascript,process.stdout.isTTY=true';

/** Wide enough that few lines wrap, narrow enough to be readable on a page of a code host. */
const WINDOW = { title: 'npm run demo', columns: 120, rows: 30 } as const;
/** A page must load its picture quickly. */
const BYTES_MAX = 100_000;

process.exitCode = await recordDemo();

/** Records it and returns the exit code. */
async function recordDemo(): Promise<number> {
  const { code, lines } = await playDemo();
  if (code !== 0) return fail(`the demo ended with exit code ${code}`);
  const picture = renderAnimation(lines, WINDOW);
  const bytes = Buffer.byteLength(picture);
  if (bytes > BYTES_MAX) return fail(`the picture would have ${bytes} bytes, more than ${BYTES_MAX}`);
  mkdirSync(dirname(PICTURE), { recursive: true });
  writeFileSync(PICTURE, picture);
  console.log(`${PICTURE}: ${lines.length} lines, ${bytes} bytes`);
  return 0;
}

function fail(reason: string): number {
  console.error(`nothing was written: ${reason}`);
  return 1;
}

interface Played {
  readonly code: number | null;
  readonly lines: readonly TimedLine[];
}

/** Runs the demo to its end and prints its lines meanwhile. */
function playDemo(): Promise<Played> {
  const start = performance.now();
  const demo = spawn(process.execPath, ['--import', AS_TERMINAL, DEMO], {
    env: { ...process.env, NO_COLOR: undefined },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // The demo cleans up and ends with the code of the signal, and so does this process.
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, () => demo.kill(signal));
  const lines: TimedLine[] = [];
  createInterface({ input: demo.stdout }).on('line', (text) => {
    lines.push({ text, atMs: performance.now() - start });
    console.log(text);
  });
  return new Promise((resolve, reject) => {
    demo.once('error', reject);
    demo.once('close', (code) => resolve({ code, lines }));
  });
}
