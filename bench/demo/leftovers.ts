/**
 * What runs of stopped nodes are still going: a node that stops leaves its items running, to find them again. It ends the
 * sessions of such runs below one directory and touches nothing else.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { belongsTo } from '../../src/run/process-table.js';
import { RUN_FILES } from '../../src/run/launcher.js';
import { killSession } from '../../src/run/session.js';

/** Ends every run whose directory is below `root`. */
export function endLeftovers(root: string): void {
  for (const path of listStarted(root)) {
    const launcher = Number(readFileSync(path, 'utf8'));
    // The pid of a launcher that has ended may be another's by now.
    if (belongsTo(launcher, dirname(path))) killSession(launcher);
  }
}

/** The files that say which launcher started a run. */
function listStarted(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(`/${RUN_FILES.started}`))
    .map((path) => join(root, path));
}
