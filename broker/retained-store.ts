/**
 * Stores the broker's retained messages across restarts, with the LevelDB store of aedes. They are served from memory
 * and written behind. That they are not waited for is for correctness: aedes numbers each message, stores it if it is
 * retained, and then delivers it; a message that a higher number overtakes while it is being stored counts as a
 * duplicate and is dropped. That most are written some time later is for speed: the statuses of short jobs come and go,
 * and never reach the disk.
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
  /** Writes what was not written yet, and closes the store. */
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

/** How a store treats its topics. */
export interface RetainedStoreOptions {
  /** Whether a topic is written at once, since its writer may not be there to publish it again after a crash. */
  isUrgent(topic: string): boolean;
  /** Called for each write that failed. */
  onFault(reason: string): void;
}

/**
 * How long a message may wait until it is written, ms. If the broker is killed meanwhile, its writer publishes it again
 * when it reconnects.
 */
const BEHIND_MS = 500;

/**
 * Opens the store in `stateDir`, which is created (mode 0700) if it does not exist. Rejects with BrokerStateFault. A
 * cleared topic is cleared on the disk at once: its writer will not clear it again.
 */
export async function openRetainedStore(
  stateDir: string,
  { isUrgent, onFault }: RetainedStoreOptions,
): Promise<RetainedStore> {
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
  const stored = new Set(packets.keys());
  /** Topics to write now, and those that wait. */
  const due = new Set<string>();
  const waiting = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let isWriting = false;
  let writing = Promise.resolve();

  function startWriting(): void {
    if (isWriting) return;
    isWriting = true;
    writing = writeDue();
  }

  async function writeDue(): Promise<void> {
    // One at a time: LevelDB's puts run on several threads, and the older of two could finish last. Topics that become
    // due in the meantime are visited too.
    for (const topic of due) {
      due.delete(topic);
      const packet = packets.get(topic);
      if (packet === undefined && !stored.has(topic)) continue;
      try {
        await store(packet ?? { topic, payload: new Uint8Array() });
        if (packet === undefined) stored.delete(topic);
        else stored.add(topic);
      } catch (error) {
        onFault(`${topic} was not stored: ${describeCause(error)}`);
      }
    }
    isWriting = false;
  }

  function writeWaiting(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const topic of waiting) due.add(topic);
    waiting.clear();
    startWriting();
  }

  function writeNow(topic: string): void {
    waiting.delete(topic);
    due.add(topic);
    startWriting();
  }

  // Must not wait for the store: see the top of this file.
  persistence.storeRetained = ({ ...packet }) => {
    const { topic, payload } = packet;
    if (payload.length === 0) packets.delete(topic);
    else packets.set(topic, packet);
    if (payload.length === 0 || isUrgent(topic)) {
      writeNow(topic);
    } else {
      waiting.add(topic);
      timer ??= setTimeout(writeWaiting, BEHIND_MS);
    }
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
      writeWaiting();
      await writing;
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
