/**
 * Where the broker keeps what must survive a restart: aedes's own store on LevelDB, in a directory of its own. One thing
 * is added to it: retained messages are written one after another. LevelDB's puts run on a pool of threads, so two
 * writes to one topic could else end with the older one.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import LevelPersistence from 'aedes-persistence-level/asyncPersistence.js';
import { Level } from 'level';

/** An open store. */
export interface RetainedStore {
  /** What aedes takes as `persistence`. */
  readonly persistence: InstanceType<typeof LevelPersistence>;
  /** Waits for the last write and closes. */
  close(): Promise<void>;
}

/** The directory cannot be used: another broker holds it, or it cannot be written. */
export class BrokerStateFault extends Error {
  override readonly name = 'BrokerStateFault';
  readonly dir: string;
  constructor(dir: string, cause: unknown) {
    super(`cannot keep the broker's state in ${dir}: ${describeCause(cause)}`, { cause });
    this.dir = dir;
  }
}

/** Opens the store in `stateDir`, which is made (mode 0700) when it is not there. Rejects with BrokerStateFault. */
export async function openRetainedStore(stateDir: string): Promise<RetainedStore> {
  const db = new Level(join(stateDir, 'retained'));
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    await db.open();
  } catch (error) {
    throw new BrokerStateFault(stateDir, error);
  }
  const persistence = new LevelPersistence(db);
  const store = persistence.storeRetained.bind(persistence);
  let last: Promise<void> = Promise.resolve();
  persistence.storeRetained = (packet) => {
    const stored = last.then(() => store(packet));
    last = stored.catch(() => {});
    return stored;
  };
  return {
    persistence,
    async close() {
      await last;
      await db.close();
    },
  };
}

function describeCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const isLocked = cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED';
  return isLocked ? 'another broker uses it' : cause instanceof Error ? cause.message : error.message;
}
