/**
 * The port for direct messages between two nodes, next to the bus: the same messages as on the bus, sent over mutual
 * TLS. It makes no decisions, and delivery means only that a message has arrived.
 */

/** The other side: public key (43 characters of base64url) and addresses (`https://host:port`, in the order to try). */
export interface Peer {
  readonly key: string;
  readonly urls: readonly string[];
}

/** A message with its full topic. */
export interface DirectMessage {
  readonly topic: string;
  readonly payload: string;
}

/** How an incoming message was judged. `unknown`: this peer may not send it; `malformed`: it cannot be parsed. */
export type DirectVerdict = 'taken' | 'unknown' | 'malformed';

/** A node's direct path to its peers. */
export interface Direct {
  /** From now on passes each incoming message to `take`. Until then peers are told to retry later. */
  open(take: (peerKey: string, message: DirectMessage) => DirectVerdict): void;
  /**
   * Sends a message at once, or, if the peer cannot be called, in the answer to its next request. The message may be
   * lost, delayed or duplicated, and the sender is not notified.
   */
  send(peer: Peer, message: DirectMessage): void;
  close(): void;
}
