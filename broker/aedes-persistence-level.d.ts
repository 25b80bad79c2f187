/** The part of aedes-persistence-level that the broker uses: the package has no types, and its main is for older aedes. */
declare module 'aedes-persistence-level/asyncPersistence.js' {
  import type { Level } from 'level';

  interface AsyncLevelPersistence {
    /** Keeps a retained packet, or forgets its topic when the payload is empty. */
    storeRetained(packet: { readonly topic: string; readonly payload: Buffer }): Promise<void>;
  }
  const AsyncLevelPersistence: new (db: Level) => AsyncLevelPersistence;
  // oxlint-disable-next-line import/no-default-export -- it is how the package exports it
  export default AsyncLevelPersistence;
}
