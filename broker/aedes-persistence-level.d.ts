/** The part of aedes-persistence-level that the broker uses: the package has no types, and its main is for older aedes. */
declare module 'aedes-persistence-level/asyncPersistence.js' {
  import type { Readable } from 'node:stream';
  import type { Level } from 'level';

  interface StoredPacket {
    readonly topic: string;
    readonly payload: Uint8Array;
  }
  interface AsyncLevelPersistence {
    /** Keeps a retained packet, or forgets its topic when the payload is empty. */
    storeRetained(packet: StoredPacket): Promise<void>;
    /** Takes what was acknowledged out of the queue of a client's session; gives it, if it was there. */
    outgoingClearMessageId(client: unknown, packet: unknown): Promise<StoredPacket | void>;
    /** The retained packets under one filter; objects. */
    createRetainedStream(filter: string): Readable;
    /** The retained packets under each of some filters. */
    createRetainedStreamCombi(filters: readonly string[]): Readable;
  }
  const AsyncLevelPersistence: new (db: Level) => AsyncLevelPersistence;
  // oxlint-disable-next-line import/no-default-export -- it is how the package exports it
  export default AsyncLevelPersistence;
}
