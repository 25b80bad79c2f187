/**
 * Where the broker keeps what must survive a restart: aedes's own store on LevelDB. Retained messages are served from
 * memory and written behind. This is for correctness, not for speed: aedes numbers each message, stores it if it is
 * retained, and then delivers it; a message that is overtaken by a higher number while it is being stored counts as a
 * duplicate and is dropped. So storing must not take longer than not storing.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import LevelPersistence from 'aedes-persistence-level/asyncPersistence.js';
import { Level } from 'level';
import { matchesFilter } from '../src/bus/topic-filter.js';

/** An open store. */
export interface RetainedStore {
  /** What aedes takes as `persistence`. */
  readonly persistence: Persistence;
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

type Persistence = InstanceType<typeof LevelPersistence>;
type Packet = Parameters<Persistence['storeRetained']>[0];

/**
 * Opens the store in `stateDir`, which is made (mode 0700) when it is not there. Rejects with BrokerStateFault. A write
 * that fails later is told to `onFault`.
 */
export async function openRetainedStore(stateDir: string, onFault: (reason: string) => void): Promise<RetainedStore> {
  let db: Level;
  try {
    // Before the store is named: it opens by itself soon after, and would make the directory open to all.
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
    // One at a time: LevelDB's puts run on several threads, and the older of two could be the last. Topics that become
    // dirty meanwhile are visited too.
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

  // Not a method that waits: see above.
  persistence.storeRetained = (packet) => {
    if (packet.payload.length === 0) packets.delete(packet.topic);
    else packets.set(packet.topic, { ...packet });
    dirty.add(packet.topic);
    flushed ??= flush();
    return Promise.resolve();
  };
  // Asked at each PUBACK, and never there: without sessions nothing is queued (see guard.ts).
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
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const isLocked = cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED';
  return isLocked ? 'another broker uses it' : cause instanceof Error ? cause.message : error.message;
}
