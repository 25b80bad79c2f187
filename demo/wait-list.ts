/**
 * What the demo is currently waiting for, in words, for the message when its time is up. It has no clock itself.
 */

/** The open waits. */
export interface WaitList {
  /** Waits for a promise, under a description that continues "waiting for …". */
  during<T>(what: string, promise: Promise<T>): Promise<T>;
  /** All open waits, as one phrase. */
  describe(): string;
}

/** Creates an empty list. */
export function createWaitList(): WaitList {
  const open = new Set<{ readonly what: string }>();
  return {
    async during(what, promise) {
      const entry = { what };
      open.add(entry);
      try {
        return await promise;
      } finally {
        open.delete(entry);
      }
    },
    describe: () => (open.size === 0 ? 'nothing' : [...open].map(({ what }) => what).join(', and for ')),
  };
}
