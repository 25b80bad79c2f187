/**
 * A disk for runs in which no node dies: writes take time and are reported, but nothing is stored or read back.
 */
import type { JournalChange } from '../../journal/journal.js';
import type { MachinePower } from '../parts/machine-power.js';
import type { Random } from '../plan/random.js';
import type { SimDisk } from '../parts/sim-journal.js';

/** A write takes at most this long, ms, as on the other simulated disk. */
const WRITE_MS = 2;

/** Creates the disk. `onWritten` is called for each change when its write is done. */
export function createWriteOnlyDisk(
  host: MachinePower,
  random: Random,
  onWritten: (change: JournalChange) => void,
): SimDisk {
  return {
    contents: new Map(),
    full: false,
    crash: () => undefined,
    rollBack: () => undefined,
    onChange: () => undefined,
    open: (boot) => {
      const clock = host.clock(boot);
      let freeAt = 0;
      return {
        load: (done) => {
          host.after(boot, 1, () => done(undefined, [], []));
        },
        write: (changes, done) => {
          freeAt = Math.max(clock.now(), freeAt) + 0.05 + random.next() * WRITE_MS;
          host.after(boot, freeAt - clock.now(), () => {
            for (const change of changes) onWritten(change);
            done();
          });
        },
        close: (done) => {
          host.after(boot, Math.max(0, freeAt - clock.now()), done);
        },
      };
    },
  };
}
