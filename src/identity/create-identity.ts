/**
 * An identity from a private key: signs with it, and verifies what others signed. Verifying never throws, whatever the
 * key, text and signature are. Only canonical base64url is accepted, so each key and signature has exactly one
 * spelling.
 */
import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { MEMBERS_MAX } from '../protocol/limits.js';
import type { Identity } from './identity.js';

const KEY_PATTERN = /^[A-Za-z0-9_-]{43}$/;
const SIGNATURE_PATTERN = /^[A-Za-z0-9_-]{86}$/;

/** Creates an identity from an Ed25519 private key. Throws TypeError for a key of another type. */
export function createIdentity(privateKey: KeyObject): Identity {
  const keys = new Map<string, KeyObject>();
  return {
    publicKey: formatPublicKey(createPublicKey(privateKey)),
    sign: (text) => sign(null, Buffer.from(text, 'utf8'), privateKey).toString('base64url'),
    verify: (key, text, signature) => verifyText(recallKey(keys, key), text, signature),
  };
}

/** The raw public key as 43 characters of base64url. Throws TypeError for a key that is not Ed25519. */
export function formatPublicKey(key: KeyObject): string {
  const { crv, x } = key.asymmetricKeyType === 'ed25519' ? key.export({ format: 'jwk' }) : {};
  if (crv !== 'Ed25519' || x === undefined) throw new TypeError('not an Ed25519 key');
  return x;
}

/** Caches parsed keys: parsing costs about as much as verifying, and members sign all the time. */
function recallKey(keys: Map<string, KeyObject>, text: string): KeyObject | undefined {
  const known = keys.get(text);
  if (known !== undefined) return known;
  const key = parseKey(text);
  if (key === undefined) return undefined;
  if (keys.size >= MEMBERS_MAX) forgetOldest(keys);
  keys.set(text, key);
  return key;
}

function forgetOldest(keys: Map<string, unknown>): void {
  const oldest = keys.keys().next();
  if (oldest.done !== true) keys.delete(oldest.value);
}

function parseKey(text: string): KeyObject | undefined {
  if (typeof text !== 'string' || !KEY_PATTERN.test(text) || !isCanonical(text)) return undefined;
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: text }, format: 'jwk' });
  } catch {
    return undefined;
  }
}

function verifyText(key: KeyObject | undefined, text: string, signature: string): boolean {
  if (key === undefined || typeof text !== 'string' || typeof signature !== 'string') return false;
  if (!SIGNATURE_PATTERN.test(signature) || !isCanonical(signature)) return false;
  try {
    return verify(null, Buffer.from(text, 'utf8'), key, Buffer.from(signature, 'base64url'));
  } catch {
    return false;
  }
}

function isCanonical(text: string): boolean {
  return Buffer.from(text, 'base64url').toString('base64url') === text;
}
