/**
 * A machine's disk, and the Journal port on it. Completed writes survive a crash of the node. By chance, a write under
 * way at the crash is there as a whole or not at all. While the disk is full, writes fail.
 */
import type { Journal, JournalChange, JournalEntry } from '../../journal/journal.js';
import type { MachinePower } from './machine-power.js';
import type { Random } from '../plan/random.js';

/** The disk of a machine. */
export interface SimDisk {
  readonly contents: ReadonlyMap<string, string>;
  full: boolean;
  /** Opens the journal for one boot of the node. */
  open(boot: number): Journal;
  /** The node died: chance decides which of the writes under way are kept. */
  crash(): void;
  /** Restores earlier contents while no node runs. */
  rollBack(contents: ReadonlyMap<string, string>): void;
  /** Adds an observer, called before each change. */
  onChange(observe: (key: string, before: string | undefined, after: string | undefined) => void): void;
}

/** A write on a healthy disk takes at most this long, ms. */
const WRITE_MS = 2;

/** Creates an empty disk. */
export function createSimDisk(host: MachinePower, random: Random): SimDisk {
  const contents = new Map<string, string>();
  const observers: ((key: string, before: string | undefined, after: string | undefined) => void)[] = [];
  let underWay: (readonly JournalChange[])[] = [];

  function apply(changes: readonly JournalChange[]): void {
    for (const { key, value } of changes) {
      const after = value === undefined ? undefined : JSON.stringify(value);
      for (const observe of observers) observe(key, contents.get(key), after);
      if (after === undefined) contents.delete(key);
      else contents.set(key, after);
    }
  }

  function open(boot: number): Journal {
    let freeAt = 0;
    const clock = host.clock(boot);

    function write(changes: readonly JournalChange[], done: (error?: Error) => void): void {
      // A node that died in the middle of a step writes nothing more.
      if (host.boot !== boot) return;
      // Serialised at once, as in the real journal: later changes of the value must not be written.
      const frozen = changes.map(({ key, value }) => ({ key, value: value === undefined ? undefined : clone(value) }));
      freeAt = Math.max(clock.now(), freeAt) + 0.05 + random.next() * WRITE_MS;
      underWay.push(frozen);
      host.after(boot, freeAt - clock.now(), () => {
        underWay = underWay.filter((one) => one !== frozen);
        if (disk.full) return done(new Error('no space left on device'));
        apply(frozen);
        done();
      });
    }

    return {
      load: (done) => {
        const entries: JournalEntry[] = [...contents]
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, text]) => ({ key, value: JSON.parse(text) as unknown }));
        host.after(boot, 1, () => done(undefined, entries, []));
      },
      write,
      close: (done) => {
        host.after(boot, Math.max(0, freeAt - clock.now()), done);
      },
    };
  }

  const disk: SimDisk = {
    contents,
    full: false,
    open,
    crash: () => {
      // Writes reach the disk in order, so a prefix of them is kept.
      const kept = disk.full ? 0 : random.between(0, underWay.length);
      for (const changes of underWay.slice(0, kept)) apply(changes);
      underWay = [];
    },
    rollBack: (before) => {
      contents.clear();
      for (const [key, text] of before) contents.set(key, text);
      underWay = [];
    },
    onChange: (observe) => {
      observers.push(observe);
    },
  };
  return disk;
}

function clone(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}
