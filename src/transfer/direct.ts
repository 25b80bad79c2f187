/**
 * The port between two nodes beside the bus: messages of work, as they are on the bus, handed over by mutual TLS. It
 * carries and decides nothing: a message that was handed over has only arrived.
 */

/**
 * The other side: its public key (43 characters of base64url), and where it listens, `https://host:port` in the order
 * to try.
 */
export interface Peer {
  readonly key: string;
  readonly urls: readonly string[];
}

/** A message with its whole topic. */
export interface DirectMessage {
  readonly topic: string;
  readonly payload: string;
}

/**
 * What became of a message that came in. `unknown`: none that this peer may say; `malformed`: none that can be read.
 */
export type DirectVerdict = 'taken' | 'unknown' | 'malformed';

/** The direct path of a node. */
export interface Direct {
  /** From now on messages are taken, each by `take`; before, whoever brings one is told to come again. */
  open(take: (peerKey: string, message: DirectMessage) => DirectVerdict): void;
  /**
   * Sends a message at once, or, where the peer cannot be called, in the answer to what it brings next. It may be lost,
   * come late or come twice; nothing tells.
   */
  send(peer: Peer, message: DirectMessage): void;
  close(): void;
}
