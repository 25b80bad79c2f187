/** Runs `ps` on systems without /proc; a call takes about 10 ms. */
import { execFileSync } from 'node:child_process';

/** Returns the output of `ps`; empty when no process matches (`ps` then exits non-zero) or when it cannot be run. */
export function askPs(...args: readonly string[]): string {
  try {
    return execFileSync('ps', args, { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}
