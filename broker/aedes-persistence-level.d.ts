/**
 * The part of aedes-persistence-level that the broker uses. The package has no types, and its main entry is for older
 * versions of aedes.
 */
declare module 'aedes-persistence-level/asyncPersistence.js' {
  import type { Readable } from 'node:stream';
  import type { Level } from 'level';

  interface StoredPacket {
    readonly topic: string;
    readonly payload: Uint8Array;
  }
  interface AsyncLevelPersistence {
    /** Stores a retained packet, or removes its topic when the payload is empty. */
    storeRetained(packet: StoredPacket): Promise<void>;
    /** Removes an acknowledged packet from the queue of a client's session and returns it, if it was there. */
    outgoingClearMessageId(client: unknown, packet: unknown): Promise<StoredPacket | void>;
    /** The retained packets that match one filter, as a stream of objects. */
    createRetainedStream(filter: string): Readable;
    /** The retained packets that match each of several filters, as a stream of objects. */
    createRetainedStreamCombi(filters: readonly string[]): Readable;
  }
  const AsyncLevelPersistence: new (db: Level) => AsyncLevelPersistence;
  // oxlint-disable-next-line import/no-default-export -- the package exports it this way
  export default AsyncLevelPersistence;
}
