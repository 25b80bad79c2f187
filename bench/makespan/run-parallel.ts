/** Runs the jobs by GNU parallel with the same slots; a login script takes the place of ssh. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Scratch } from '../setup/scratch.js';
import type { Machines } from './cgroups.js';
import type { Machine } from './jobs.js';
import type { RunAll } from './run-tritmesh.js';

/** Prepares a run. Like the node that submits, parallel itself runs in the busy machine. */
export function prepareParallel(scratch: Scratch, machines: readonly Machine[], { enter, login }: Machines): RunAll {
  const home = join(scratch.directory, 'parallel');
  mkdirSync(home);
  const logins = machines.flatMap(({ name, slots }) => ['--sshlogin', `${slots}/${login} ${name}`]);
  const busy = machines.find(({ ownCpus }) => ownCpus > 0)?.name ?? '';
  return async (jobs) => {
    const child = spawn(enter, [busy, 'parallel', '--will-cite', '--ungroup', ...logins], {
      stdio: ['pipe', 'ignore', 'inherit'],
      env: { ...process.env, PARALLEL_HOME: home },
    });
    child.stdin.end(jobs.map((job) => `${job.join(' ')}\n`).join(''));
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`parallel ended with exit code ${String(code)}`);
  };
}
