/**
 * What waits for peers that cannot be called just now, or are being called: bounded, and not for long, since everything
 * that matters is said again.
 */
import { BATCH_MESSAGES_MAX } from './direct-batch.js';
import type { DirectMessage } from '../direct.js';

/** Messages that wait, by the key of the peer. */
export interface Mail {
  put(key: string, message: DirectMessage): void;
  /** What could not be delivered, before all that came since. */
  putBack(key: string, messages: readonly DirectMessage[]): void;
  has(key: string): boolean;
  /** Takes as many as fit, oldest first. */
  take(key: string, bytesMax: number): readonly DirectMessage[];
}

interface Waiting {
  readonly message: DirectMessage;
  readonly until: number;
}

/** Messages kept for one peer and peers that some are kept for, and for how long, ms. */
const KEPT_MAX = 256;
const PEERS_MAX = 1024;
const KEPT_MS = 60_000;

/** Makes an empty one; `now` is monotonic, ms. */
export function createMail(now: () => number = () => performance.now()): Mail {
  const waiting = new Map<string, readonly Waiting[]>();
  /** Of what was taken: it is not kept any longer because it could not be delivered. */
  const untilOf = new WeakMap<DirectMessage, number>();

  function fresh(key: string): readonly Waiting[] {
    return (waiting.get(key) ?? []).filter(({ until }) => until > now());
  }

  function set(key: string, list: readonly Waiting[]): void {
    if (list.length === 0) waiting.delete(key);
    else waiting.set(key, list.slice(-KEPT_MAX));
    const [oldest] = waiting.size > PEERS_MAX ? waiting.keys() : [];
    if (oldest !== undefined) waiting.delete(oldest);
  }

  return {
    put: (key, message) => set(key, [...fresh(key), { message, until: now() + KEPT_MS }]),
    putBack: (key, messages) => {
      const again = messages.map((message) => ({ message, until: untilOf.get(message) ?? now() }));
      set(key, [...again.filter(({ until }) => until > now()), ...fresh(key)]);
    },
    has: (key) => fresh(key).length > 0,
    take: (key, bytesMax) => {
      const list = fresh(key);
      let bytes = 0;
      const fits = list.findIndex(({ message }, index) => {
        bytes += 2 * (message.payload.length + message.topic.length);
        return index >= BATCH_MESSAGES_MAX || (index > 0 && bytes > bytesMax);
      });
      const count = fits === -1 ? list.length : fits;
      set(key, list.slice(count));
      const taken = list.slice(0, count);
      for (const { message, until } of taken) untilOf.set(message, until);
      return taken.map(({ message }) => message);
    },
  };
}
