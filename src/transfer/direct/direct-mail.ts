/**
 * Queues messages for peers that cannot be called right now or are being called. The queue is bounded and
 * short-lived, since everything that matters is sent again.
 */
import { BATCH_MESSAGES_MAX } from './direct-batch.js';
import type { DirectMessage } from '../direct.js';

/** Queued messages by peer key (43 characters of base64url). */
export interface Mail {
  put(key: string, message: DirectMessage): void;
  /** Returns undelivered messages to the queue, ahead of everything queued since. */
  putBack(key: string, messages: readonly DirectMessage[]): void;
  has(key: string): boolean;
  /** Removes and returns as many messages as fit into `bytesMax`, oldest first; at least one if any is queued. */
  take(key: string, bytesMax: number): readonly DirectMessage[];
}

interface Waiting {
  readonly message: DirectMessage;
  readonly until: number;
}

/** Messages queued per peer, peers with a queue, and how long a message is kept, ms. */
const KEPT_MAX = 256;
const PEERS_MAX = 1024;
const KEPT_MS = 60_000;

/** Creates an empty queue; `now` is monotonic, ms. */
export function createMail(now: () => number = () => performance.now()): Mail {
  const waiting = new Map<string, readonly Waiting[]>();
  /** Deadlines of messages that were taken: a failed delivery does not extend them. */
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
