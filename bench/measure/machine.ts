/** What a figure depends on besides the code: the machine, its load, and the commit. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { round, type Figure } from './figure.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The machine and the code that are measured. */
export function describeMachine(): Figure {
  return {
    bench: 'machine',
    commit: findCommit(),
    node: process.version,
    cpus: availableParallelism(),
    model: cpus()[0]?.model ?? 'unknown',
    load: readLoad(),
  };
}

/** Load average of the last minute. */
export function readLoad(): number {
  return round(loadavg()[0] ?? Number.NaN);
}

/** The commit of the checkout, with a mark if tracked files differ from it. */
function findCommit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changes = git('status', '--porcelain', '--untracked-files=no');
    return git('rev-parse', '--short', 'HEAD') + (changes === '' ? '' : ' with changes');
  } catch {
    return 'unknown';
  }
}
