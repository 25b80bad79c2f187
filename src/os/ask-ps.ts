/** Asks `ps`, where there is no /proc: some 10 ms a call. */
import { execFileSync } from 'node:child_process';

/** What `ps` prints; empty when no process matches (it fails then), or when it cannot be run. */
export function askPs(...args: readonly string[]): string {
  try {
    return execFileSync('ps', args, { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}
