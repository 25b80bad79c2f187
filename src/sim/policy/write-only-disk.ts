/**
 * A disk for runs in which no program dies: writes take their time and are told, nothing is kept, since nobody reads it back.
 */
import type { JournalChange } from '../../journal/journal.js';
import type { Host } from '../host.js';
import type { Random } from '../random.js';
import type { SimDisk } from '../sim-journal.js';

/** Longest time a write takes, ms; that of the other simulated disk. */
const WRITE_MS = 2;

/** Makes it; `wrote` is told of each change when it is done. */
export function createWriteOnlyDisk(host: Host, random: Random, wrote: (change: JournalChange) => void): SimDisk {
  return {
    contents: new Map(),
    full: false,
    crash: () => undefined,
    setBack: () => undefined,
    onChange: () => undefined,
    open: (life) => {
      const clock = host.clock(life);
      let freeAt = 0;
      return {
        load: (done) => {
          host.after(life, 1, () => done(undefined, [], []));
        },
        write: (changes, done) => {
          freeAt = Math.max(clock.now(), freeAt) + 0.05 + random.next() * WRITE_MS;
          host.after(life, freeAt - clock.now(), () => {
            for (const change of changes) wrote(change);
            done();
          });
        },
        close: (done) => {
          host.after(life, Math.max(0, freeAt - clock.now()), done);
        },
      };
    },
  };
}
