/**
 * The Identity port where nobody forges: a signature costs nothing and always fits. For runs about policy, in which the
 * cryptography of millions of messages would be all there is to see.
 */
import type { Identity } from '../../identity/identity.js';
import { createSimIdentity } from '../sim-identity.js';

const SIGNATURE = 'A'.repeat(86);

/** Makes the identity of a node. */
export function createTrustingIdentity(name: string): Identity {
  return { publicKey: createSimIdentity(name).publicKey, sign: () => SIGNATURE, verify: () => true };
}
