/**
 * The port to a node's identity: its Ed25519 key as it is used, independent of where it is stored.
 */
import type { Sign, Verify } from '../protocol/envelope.js';

/** A node's own key. */
export interface Identity {
  /** The raw public key, 43 characters of base64url. */
  readonly publicKey: string;
  readonly sign: Sign;
  readonly verify: Verify;
}
