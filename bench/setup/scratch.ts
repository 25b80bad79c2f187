/**
 * What a benchmark must clean up: processes, clients and a directory. `close` ends all of it in reverse order, whatever
 * happened.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary directory and the clean-up of a benchmark. */
export interface Scratch {
  /** A new directory below the system's temporary one. */
  readonly directory: string;
  /** Registers an action for the close. */
  defer(end: () => Promise<void> | void): void;
  /** Opens a scratch within this one, which is closed with it at the latest. */
  open(): Scratch;
  close(): Promise<void>;
}

/** Opens a scratch with an empty directory. */
export function openScratch(): Scratch {
  const directory = mkdtempSync(join(tmpdir(), 'tritmesh-bench-'));
  const ends: (() => Promise<void> | void)[] = [];

  let closing: Promise<void> | undefined;

  async function endAll(): Promise<void> {
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  }

  // An interrupt and the failure that it causes both close: the order of the ends must hold all the same.
  const close = (): Promise<void> => (closing ??= endAll());

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
