/**
 * Ends the runs that stopped nodes left: a node leaves its jobs running when it stops, to adopt them at its next start.
 * Only runs below the given directory are ended.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../src/run/processes/process-table.js';
import { listSupervisors, openFormerSupervisor } from '../src/run/supervisor/former-supervisor.js';
import { killSession } from '../src/run/processes/session.js';

/** Kills the session of every run that a supervisor below `root` still has. */
export function endLeftovers(root: string): void {
  for (const place of listPlaces(root)) {
    for (const number of listSupervisors(place)) endRuns(join(place, String(number)));
  }
}

function endRuns(directory: string): void {
  for (const { handle, end } of openFormerSupervisor(directory).records.runs.values()) {
    // If its leader has ended, the pid may belong to another process by now.
    if (handle !== undefined && end === undefined && isAlive(handle)) killSession(handle.pid);
  }
}

/** The directories of the supervisors of all nodes. */
function listPlaces(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('/supervisors'))
    .map((path) => join(root, path));
}
