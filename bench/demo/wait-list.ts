/**
 * What the demo waits for at the moment, in words, so that it can say so when its time is up. It knows no clock.
 */

/** The list. */
export interface WaitList {
  /** Waits for a promise under a description that continues "waited for …". */
  during<T>(what: string, promise: Promise<T>): Promise<T>;
  /** All that is waited for, as one phrase. */
  describe(): string;
}

/** Makes an empty list. */
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
