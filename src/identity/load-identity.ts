/**
 * A node's identity as its state directory holds it: the key file, and what follows from it.
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

/** Loads the identity below `stateDir`, made at first use. Throws KeyFileError for a key that must not be used. */
export function loadIdentity(stateDir: string): LocalIdentity {
  const key = loadKey(stateDir);
  return { ...createIdentity(key), tls: createTlsPair(key), sealer: createSealer(key) };
}
