/**
 * A machine's disk, and the Journal port on it. What was called done survives the program's death; what was under way at that
 * moment is there whole or not at all, by chance. A full disk fails writes until there is room.
 */
import type { Journal, JournalChange, JournalEntry } from '../journal/journal.js';
import type { Host } from './host.js';
import type { Random } from './random.js';

/** A disk. */
export interface SimDisk {
  readonly contents: ReadonlyMap<string, string>;
  full: boolean;
  /** Opens the journal for one life of the program. */
  open(life: number): Journal;
  /** The program died: what was being written is decided by chance. */
  crash(): void;
  /** Puts all of it back as it was once, behind the program's back. */
  setBack(contents: ReadonlyMap<string, string>): void;
  /** Told before each change is made. */
  onChange(look: (key: string, before: string | undefined, after: string | undefined) => void): void;
}

/** Longest time a write takes on a healthy disk, ms. */
const WRITE_MS = 2;

/** Makes an empty disk. */
export function createSimDisk(host: Host, random: Random): SimDisk {
  const contents = new Map<string, string>();
  const lookers: ((key: string, before: string | undefined, after: string | undefined) => void)[] = [];
  let underWay: (readonly JournalChange[])[] = [];

  function apply(changes: readonly JournalChange[]): void {
    for (const { key, value } of changes) {
      const after = value === undefined ? undefined : JSON.stringify(value);
      for (const look of lookers) look(key, contents.get(key), after);
      if (after === undefined) contents.delete(key);
      else contents.set(key, after);
    }
  }

  function open(life: number): Journal {
    let freeAt = 0;
    const clock = host.clock(life);

    function write(changes: readonly JournalChange[], done: (error?: Error) => void): void {
      // A node that died in the midst of a step writes nothing more.
      if (host.life !== life) return;
      // Serialised at once, as a real journal does: later changes to the value must not travel along.
      const frozen = changes.map(({ key, value }) => ({ key, value: value === undefined ? undefined : clone(value) }));
      freeAt = Math.max(clock.now(), freeAt) + 0.05 + random.next() * WRITE_MS;
      underWay.push(frozen);
      host.after(life, freeAt - clock.now(), () => {
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
        host.after(life, 1, () => done(undefined, entries, []));
      },
      write,
      close: (done) => {
        host.after(life, Math.max(0, freeAt - clock.now()), done);
      },
    };
  }

  const disk: SimDisk = {
    contents,
    full: false,
    open,
    crash: () => {
      // Writes reach the disk in order: a prefix of them is there.
      const kept = disk.full ? 0 : random.between(0, underWay.length);
      for (const changes of underWay.slice(0, kept)) apply(changes);
      underWay = [];
    },
    setBack: (before) => {
      contents.clear();
      for (const [key, text] of before) contents.set(key, text);
      underWay = [];
    },
    onChange: (look) => {
      lookers.push(look);
    },
  };
  return disk;
}

function clone(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}
