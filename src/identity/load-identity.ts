/**
 * A node's identity from its state directory: the key file, and everything that is derived from it.
 */
import { createTlsPair, type TlsPair } from './certificate.js';
import { createIdentity } from './create-identity.js';
import type { Identity } from './identity.js';
import { loadKey } from './key-file.js';
import { createSealer, type Sealer } from './seal.js';

/** An identity that can also present itself in TLS. */
export interface LocalIdentity extends Identity {
  readonly tls: TlsPair;
  readonly sealer: Sealer;
}

/**
 * Loads the identity below `stateDir`; the first use creates it. Throws KeyFileError for a key that must not be used.
 */
export function loadIdentity(stateDir: string): LocalIdentity {
  const key = loadKey(stateDir);
  return { ...createIdentity(key), tls: createTlsPair(key), sealer: createSealer(key) };
}
