/**
 * Ends the runs that stopped nodes left: a node leaves its jobs running when it stops, to adopt them at its next start.
 * Only runs below the given directory are ended.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { belongsTo } from '../src/run/processes/process-table.js';
import { RUN_FILES } from '../src/run/launch/launcher.js';
import { killSession } from '../src/run/processes/session.js';

/** Kills the session of every run whose directory is below `root`. */
export function endLeftovers(root: string): void {
  for (const path of listStarted(root)) {
    const launcher = Number(readFileSync(path, 'utf8'));
    // If the launcher has ended, its pid may belong to another process by now.
    if (belongsTo(launcher, dirname(path))) killSession(launcher);
  }
}

/** The files that hold the pids of launchers. */
function listStarted(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(`/${RUN_FILES.started}`))
    .map((path) => join(root, path));
}
