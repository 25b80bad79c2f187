/**
 * When a process really started: the measured program is `date`, which prints the wall clock in nanoseconds. All times
 * are therefore compared in milliseconds since 1970, with fractions.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** The measured program: no shell, no runtime, nothing to load but libc. */
export const STAMP_ARGV: readonly string[] = ['date', '+%s%N'];

/** Reads a time stamp, ms since 1970; `undefined` for a `date` without nanoseconds. */
export function readStamp(text: string): number | undefined {
  return /^\d{19}\n?$/.test(text) ? Number(text.slice(0, 13)) + Number(text.slice(13, 19)) / 1e6 : undefined;
}

/**
 * A wall clock with a finer resolution than `Date.now()`: it is set at one of its ticks and then follows the monotonic
 * clock. Create a new one for each round, so that adjustments of the wall clock do not matter.
 */
export function setWallClock(): () => number {
  const first = Date.now();
  let tick = first;
  while (tick === first) tick = Date.now();
  const offset = tick - performance.now();
  return () => offset + performance.now();
}

/** Times from a bare `child_process.spawn` to the program's time stamp, one after another, ms. */
export async function stampSpawns(count: number, file: string): Promise<readonly number[]> {
  const wall = setWallClock();
  const begun: number[] = [];
  // A file as stdout is cheaper than a pipe: the baseline is as low as it gets.
  const stdout = openSync(file, 'a');
  for (let index = 0; index < count; index += 1) {
    begun.push(wall());
    await runProgram(STAMP_ARGV, stdout);
  }
  closeSync(stdout);
  const lines = readFileSync(file, 'utf8').trim().split('\n').slice(-count);
  return lines.map((line, index) => (readStamp(line) ?? Number.NaN) - (begun[index] ?? Number.NaN));
}

/** Runs a program without tritmesh; resolves when it has ended. */
export function runProgram([name = '', ...args]: readonly string[], stdout: number | 'ignore'): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, { stdio: ['ignore', stdout, 'ignore'] });
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
}
