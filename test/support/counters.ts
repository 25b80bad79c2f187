/**
 * Programs in C, Python and JavaScript that count on stdout, and a check that a count has no gap and no repetition.
 * Each line has a number and the state of a generator, which only a process that missed nothing can continue.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requirement } from './requirements.js';
import { canFreezeNode } from './criu.js';

/** One counting program. */
export interface Counter {
  readonly name: string;
  /** Its command line, for a number of lines, an exit code, and microseconds between lines. */
  argv(lines: number, code: number, pauseUs: number): readonly string[];
}

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

/** Whether a program runs here. */
export function isThere(program: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The counters that this machine can run. The one in C is compiled here; the caller removes `directory` at the end. */
export function makeCounters(): { readonly counters: readonly Counter[]; readonly directory: string } {
  const directory = mkdtempSync(join(tmpdir(), 'tritmesh-count-'));
  const counters: Counter[] = canFreezeNode ? [of('node', [process.execPath, fixture('count.mjs')])] : [];
  if (requirement('gcc', isThere('gcc', '--version'), 'apt-get install gcc')) {
    const program = join(directory, 'count');
    execFileSync('gcc', ['-O1', '-o', program, fixture('count.c')]);
    counters.unshift(of('C', [program]));
  }
  if (requirement('python3', isThere('python3', '--version'), 'apt-get install python3')) {
    counters.push(of('Python', ['python3', fixture('count.py')]));
  }
  return { counters, directory };
}

/** Returns what is wrong with a count of this many lines; `undefined` if it is right. */
export function findCountFault(text: string, lines: number): string | undefined {
  const found = text.split('\n');
  if (found.pop() !== '') return 'the last line is torn';
  let state = 88172645463325252n;
  for (let line = 0; line < lines; line += 1) {
    state ^= BigInt.asUintN(64, state << 13n);
    state ^= state >> 7n;
    state ^= BigInt.asUintN(64, state << 17n);
    if (found[line] !== `${line} ${state}`) return `line ${line} is ${JSON.stringify(found[line])}`;
  }
  return found.length === lines ? undefined : `${found.length} lines instead of ${lines}`;
}

function of(name: string, start: readonly string[]): Counter {
  return { name, argv: (lines, code, pauseUs) => [...start, ...[lines, code, pauseUs].map(String)] };
}
