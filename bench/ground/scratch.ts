/**
 * What a benchmark leaves behind while it runs: processes, clients and a directory. `close` ends all of it, the youngest
 * first, whatever happened.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A place to work in. */
export interface Scratch {
  /** A directory of its own below the system's temporary one. */
  readonly directory: string;
  /** Has something ended at the close. */
  defer(end: () => Promise<void> | void): void;
  /** A place within this one, closed with it at the latest. */
  open(): Scratch;
  close(): Promise<void>;
}

/** Opens one. */
export function openScratch(): Scratch {
  const directory = mkdtempSync(join(tmpdir(), 'tritmesh-bench-'));
  const ends: (() => Promise<void> | void)[] = [];

  async function close(): Promise<void> {
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  }

  return {
    directory,
    defer: (end) => void ends.push(end),
    open: () => {
      const inner = openScratch();
      ends.push(inner.close);
      return inner;
    },
    close,
  };
}
