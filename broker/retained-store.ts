/**
 * Stores the broker's retained messages across restarts, with the LevelDB store of aedes. They are served from memory
 * and written in the background. This is for correctness, not for speed: aedes numbers each message, stores it if it is
 * retained, and then delivers it; a message that a higher number overtakes while it is being stored counts as a
 * duplicate and is dropped. Storing must therefore take no time at all.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import LevelPersistence from 'aedes-persistence-level/asyncPersistence.js';
import { Level } from 'level';
import { matchesFilter } from '../src/bus/topic-filter.js';
import { describeError, errorCode } from '../src/os/errors.js';

/** An open store. */
export interface RetainedStore {
  /** The option `persistence` of aedes. */
  readonly persistence: Persistence;
  /** Waits for the last write and closes the store. */
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

type Persistence = InstanceType<typeof LevelPersistence>;
type Packet = Parameters<Persistence['storeRetained']>[0];

/**
 * Opens the store in `stateDir`, which is created (mode 0700) if it does not exist. Rejects with BrokerStateFault.
 * Writes that fail later are reported to `onFault`.
 */
export async function openRetainedStore(stateDir: string, onFault: (reason: string) => void): Promise<RetainedStore> {
  let db: Level;
  try {
    // Before `new Level`, which starts to open the store at once and would create the directory readable by everyone.
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    db = new Level(join(stateDir, 'retained'));
    await db.open();
  } catch (error) {
    throw new BrokerStateFault(stateDir, error);
  }
  const persistence = new LevelPersistence(db);
  const store = persistence.storeRetained.bind(persistence);
  const packets = await readPackets(persistence);
  const dirty = new Set<string>();
  let flushed: Promise<void> | undefined;

  async function flush(): Promise<void> {
    // One at a time: LevelDB's puts run on several threads, and the older of two could finish last. Topics that become
    // dirty in the meantime are visited too.
    for (const topic of dirty) {
      dirty.delete(topic);
      try {
        await store(packets.get(topic) ?? { topic, payload: new Uint8Array() });
      } catch (error) {
        onFault(`${topic} was not stored: ${describeCause(error)}`);
      }
    }
    flushed = undefined;
  }

  // Must not wait for the store: see the top of this file.
  persistence.storeRetained = (packet) => {
    if (packet.payload.length === 0) packets.delete(packet.topic);
    else packets.set(packet.topic, { ...packet });
    dirty.add(packet.topic);
    flushed ??= flush();
    return Promise.resolve();
  };
  // Called at each PUBACK and never has anything to do: without sessions nothing is queued (see guard.ts).
  persistence.outgoingClearMessageId = () => Promise.resolve();
  persistence.createRetainedStream = (filter) => Readable.from(selectPackets(packets, filter));
  persistence.createRetainedStreamCombi = (filters) =>
    Readable.from(filters.flatMap((filter) => selectPackets(packets, filter)));

  return {
    persistence,
    async close() {
      await flushed;
      await db.close();
    },
  };
}

async function readPackets(persistence: Persistence): Promise<Map<string, Packet>> {
  const packets = new Map<string, Packet>();
  for await (const packet of persistence.createRetainedStream('#') as AsyncIterable<Packet>) {
    packets.set(packet.topic, packet);
  }
  return packets;
}

function selectPackets(packets: ReadonlyMap<string, Packet>, filter: string): readonly Packet[] {
  return [...packets.values()].filter(({ topic }) => matchesFilter(filter, topic));
}

function describeCause(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const isLocked = errorCode(cause) === 'LEVEL_LOCKED';
  return isLocked ? 'another broker uses it' : describeError(cause instanceof Error ? cause : error);
}
