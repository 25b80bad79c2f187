/**
 * When a process really started: the measured program is `date`, which says by the wall clock at what nanosecond it ran.
 * Milliseconds since 1970 with fractions are therefore what everything is compared in.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** The program: no shell, no runtime, nothing to load but libc. */
export const STAMP_ARGV: readonly string[] = ['date', '+%s%N'];

/** Reads a stamp, milliseconds since 1970; `undefined` for a `date` that knows no nanoseconds. */
export function readStamp(text: string): number | undefined {
  return /^\d{19}\n?$/.test(text) ? Number(text.slice(0, 13)) + Number(text.slice(13, 19)) / 1e6 : undefined;
}

/**
 * A wall clock finer than `Date.now()`: set to one of its ticks, and running with the monotonic clock from there. Make a
 * new one for each round, so that a wall clock which is being adjusted does not matter.
 */
export function setWallClock(): () => number {
  const first = Date.now();
  let tick = first;
  while (tick === first) tick = Date.now();
  const offset = tick - performance.now();
  return () => offset + performance.now();
}

/** Milliseconds from a bare `child_process.spawn` to the program's stamp, one after another. */
export async function stampSpawns(count: number, file: string): Promise<readonly number[]> {
  const wall = setWallClock();
  const begun: number[] = [];
  // A file as stdout is cheaper than a pipe: the floor is as low as it gets.
  const stdout = openSync(file, 'a');
  for (let index = 0; index < count; index += 1) {
    begun.push(wall());
    await runProgram(STAMP_ARGV, stdout);
  }
  closeSync(stdout);
  const lines = readFileSync(file, 'utf8').trim().split('\n').slice(-count);
  return lines.map((line, index) => (readStamp(line) ?? Number.NaN) - (begun[index] ?? Number.NaN));
}

/** Runs a program bare; resolves when it has ended. */
export function runProgram([name = '', ...args]: readonly string[], stdout: number | 'ignore'): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, { stdio: ['ignore', stdout, 'ignore'] });
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
}
