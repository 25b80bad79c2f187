/**
 * Keeps the files of guests that a person was told to fetch. Once the journal no longer knows such a guest, only a mark
 * in its directory keeps a sweep from removing them. On a full disk the mark cannot be written, so until it is, this
 * node remembers the guest.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../os/errors.js';

/** Marks the directory of a guest whose files a person was told to fetch there. */
export const KEPT_MARK = 'kept';

/** The guests of one state directory that are kept. Names are as in {@link Needed}: `<owner>/<item>/<epoch>`. */
export interface KeptGuests {
  /** Keeps a guest from this call on. Rejects if its mark could not be written: a restart forgets the guest then. */
  keep(name: string, directory: string): Promise<void>;
  /** Tries again to write the marks that could not be written. Never rejects. */
  markAgain(): Promise<void>;
  /** Whether it is kept, but not marked. */
  isUnmarked(name: string): boolean;
}

/** Creates it, with no guest kept yet. */
export function createKeptGuests(): KeptGuests {
  /** Directories by name. */
  const unmarked = new Map<string, string>();

  async function keep(name: string, directory: string): Promise<void> {
    unmarked.set(name, directory);
    await mark(directory);
    unmarked.delete(name);
  }

  return {
    keep,
    markAgain: async () => {
      for (const [name, directory] of unmarked) await keep(name, directory).catch(() => undefined);
    },
    isUnmarked: (name) => unmarked.has(name),
  };
}

async function mark(directory: string): Promise<void> {
  try {
    await writeFile(join(directory, KEPT_MARK), '');
  } catch (error) {
    // Without the directory there are no files to keep.
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}
