/** task-spooler: each job is submitted by the program `tsp`, which speaks to a server of its own over a local socket. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readStamp, setWallClock, STAMP_ARGV } from '../measure/stamp.js';
import { NO_OP } from '../setup/burst.js';
import { SLOTS } from '../setup/pair.js';
import type { Scratch } from '../setup/scratch.js';
import type { Peer, PeerKind } from './peer.js';

/** The peer. */
export const TASK_SPOOLER: PeerKind = {
  name: 'task-spooler',
  programs: ['tsp'],
  install: 'apt-get install task-spooler',
  open: openTaskSpooler,
};

async function openTaskSpooler(scratch: Scratch): Promise<Peer> {
  const socket = join(scratch.directory, 'tsp');
  const env = { ...process.env, TS_SOCKET: socket, TS_SLOTS: String(SLOTS), TMPDIR: scratch.directory };
  const tsp = async (...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)('tsp', args, { env })).stdout;
  // The first call starts the server.
  await tsp('-S', String(SLOTS));
  scratch.defer(async () => void (await tsp('-K')));
  return {
    dispatch: async (count) => {
      const wall = setWallClock();
      const times: number[] = [];
      for (let index = 0; index < count; index += 1) {
        const begun = wall();
        // In the foreground and without a file, so the stamp is the output of `tsp`.
        times.push((readStamp(await tsp('-nf', ...STAMP_ARGV)) ?? Number.NaN) - begun);
      }
      return times;
    },
    burst: async (count) => {
      const begun = performance.now();
      await repeatTogether(count - SLOTS, () => tsp('-n', ...NO_OP));
      // Jobs start in the order of submission: the last ones are waited for.
      await repeatTogether(SLOTS, () => tsp('-nf', ...NO_OP));
      const rate = (count / (performance.now() - begun)) * 1000;
      await tsp('-C');
      return rate;
    },
  };
}

/** Repeats something, as many at a time as there are slots. */
async function repeatTogether(count: number, act: () => Promise<unknown>): Promise<void> {
  let left = count;
  const work = async (): Promise<void> => {
    for (; left > 0;) {
      left -= 1;
      await act();
    }
  };
  await Promise.all(Array.from({ length: SLOTS }, work));
}
