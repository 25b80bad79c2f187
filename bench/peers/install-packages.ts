/** Packages of npm that only a benchmark needs: they are installed for its run and are no dependencies of tritmesh. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Scratch } from '../setup/scratch.js';

/** Installs them into a new directory, and returns it. Rejects with the output of npm if it cannot. */
export async function installPackages(scratch: Scratch, packages: readonly string[]): Promise<string> {
  const directory = join(scratch.directory, 'packages');
  mkdirSync(directory);
  // Without it npm would look for a package further up.
  writeFileSync(join(directory, 'package.json'), '{}\n');
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel', 'error'];
  await promisify(execFile)('npm', ['install', '--prefix', directory, ...flags, ...packages], { cwd: directory });
  return directory;
}
