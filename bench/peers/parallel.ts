/**
 * GNU parallel. Single jobs go to one that runs on and reads commands from its stdin, as its manual describes for a
 * queue; a burst is one call, its start included. Over ssh, all jobs of a peer share one connection.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readStamp, setWallClock, STAMP_ARGV } from '../measure/stamp.js';
import { NO_OP } from '../setup/burst.js';
import { startConversation } from '../setup/conversation.js';
import { SLOTS } from '../setup/pair.js';
import type { Scratch } from '../setup/scratch.js';
import type { Peer, PeerKind } from './peer.js';
import { startSshd } from './sshd.js';

/** The peers. */
export const PARALLEL: PeerKind = {
  name: 'parallel',
  programs: ['parallel'],
  install: 'apt-get install parallel',
  open: (scratch) => Promise.resolve(openParallel(scratch, ['-j', String(SLOTS)])),
};
export const PARALLEL_SSH: PeerKind = {
  name: 'parallel over ssh',
  programs: ['parallel', 'sshd', 'ssh', 'ssh-keygen'],
  install: 'apt-get install parallel openssh-server openssh-client',
  burstJobs: 100,
  open: async (scratch) => openParallel(scratch, ['--sshlogin', `${SLOTS}/${await startSshd(scratch)}`]),
};

function openParallel(scratch: Scratch, where: readonly string[]): Peer {
  const home = join(scratch.directory, 'parallel');
  mkdirSync(home);
  const variables = { PARALLEL_HOME: home };
  const argv = ['parallel', '--will-cite', '--ungroup', ...where];
  const queue = startConversation(scratch, argv, variables);
  // It starts a job when it has read as many more as it has slots, but only the first time.
  for (let slot = 0; slot < SLOTS; slot += 1) queue.write(NO_OP.join(' '));
  return {
    dispatch: async (count) => {
      const wall = setWallClock();
      const times: number[] = [];
      for (let index = 0; index < count; index += 1) {
        const begun = wall();
        queue.write(STAMP_ARGV.join(' '));
        times.push((readStamp(await queue.nextLine()) ?? Number.NaN) - begun);
      }
      return times;
    },
    burst: async (count) => {
      const begun = performance.now();
      const [file = '', ...args] = argv;
      const child = spawn(file, args, {
        stdio: ['pipe', 'ignore', 'inherit'],
        env: { ...process.env, ...variables },
      });
      child.stdin.end(`${NO_OP.join(' ')}\n`.repeat(count));
      const [code] = (await once(child, 'exit')) as [number | null];
      if (code !== 0) throw new Error(`parallel ended with exit code ${String(code)}`);
      return (count / (performance.now() - begun)) * 1000;
    },
  };
}
