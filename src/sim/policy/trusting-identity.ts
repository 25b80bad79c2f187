/**
 * The Identity port for runs in which nobody forges: a signature costs nothing and always verifies. In policy
 * simulations the cryptography of millions of messages would dominate the run time.
 */
import type { Identity } from '../../identity/identity.js';
import { createSimIdentity } from '../parts/sim-identity.js';

const SIGNATURE = 'A'.repeat(86);

/** Creates the identity of a node. The same name gives the same key. */
export function createTrustingIdentity(name: string): Identity {
  return { publicKey: createSimIdentity(name).publicKey, sign: () => SIGNATURE, verify: () => true };
}
