/**
 * Encrypts small contents for one node, since they pass through a broker: X25519 with a one-time key for each message,
 * HKDF-SHA256, AES-256-GCM. It does not authenticate the sender: the message that carries the contents is signed.
 * Opening never throws.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';

/** Opens what was sealed to a node. */
export interface Sealer {
  /** The raw X25519 public key, 43 characters of base64url. */
  readonly sealKey: string;
  /** Decrypts what was sealed to this key for `context`; `undefined` for anything else. */
  open(sealed: string, context: string): Buffer | undefined;
}

const KEY_BYTES = 32;
const TAG_BYTES = 16;
/** Constant, because each key encrypts one message only. */
const NONCE = Buffer.alloc(12);
/** RFC 8410: the bytes before the 32 bytes of a private X25519 key. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');

/**
 * Creates the sealer of a node from its Ed25519 key. The sealing key is derived from it: nothing more has to be stored,
 * and a backup of one is a backup of both. (Using the same key for both would need arithmetic that node:crypto does not
 * have.)
 */
export function createSealer(privateKey: KeyObject): Sealer {
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new TypeError('not an Ed25519 key');
  const { d } = privateKey.export({ format: 'jwk' });
  const seed = Buffer.from(d ?? '', 'base64url');
  const derived = Buffer.from(hkdfSync('sha256', seed, '', 'tritmesh seal key 1', KEY_BYTES));
  const own = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, derived]), format: 'der', type: 'pkcs8' });
  const sealKey = formatKey(createPublicKey(own));
  return {
    sealKey,
    open: (sealed, context) => {
      try {
        return open(own, sealKey, Buffer.from(sealed, 'base64'), context);
      } catch {
        return undefined;
      }
    },
  };
}

/**
 * Seals `bytes` to a node's seal key; opening requires the same `context`, which says what it is. Throws for an invalid
 * key.
 */
export function sealTo(sealKey: string, bytes: Uint8Array, context: string): string {
  const once = generateKeyPairSync('x25519');
  const onceKey = formatKey(once.publicKey);
  const secret = diffieHellman({ privateKey: once.privateKey, publicKey: parseKey(sealKey) });
  const cipher = createCipheriv('aes-256-gcm', deriveSecret(secret, onceKey, sealKey), NONCE);
  cipher.setAAD(Buffer.from(context));
  const text = Buffer.concat([cipher.update(bytes), cipher.final()]);
  return Buffer.concat([Buffer.from(onceKey, 'base64url'), cipher.getAuthTag(), text]).toString('base64');
}

function open(own: KeyObject, sealKey: string, sealed: Buffer, context: string): Buffer {
  const onceKey = sealed.subarray(0, KEY_BYTES).toString('base64url');
  const secret = diffieHellman({ privateKey: own, publicKey: parseKey(onceKey) });
  const decipher = createDecipheriv('aes-256-gcm', deriveSecret(secret, onceKey, sealKey), NONCE, {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(sealed.subarray(KEY_BYTES, KEY_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(KEY_BYTES + TAG_BYTES)), decipher.final()]);
}

/** Both keys go in: neither can then be replaced by another one that yields the same shared secret. */
function deriveSecret(secret: Buffer, onceKey: string, sealKey: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `tritmesh sealed 1 ${onceKey} ${sealKey}`, KEY_BYTES));
}

function formatKey(key: KeyObject): string {
  return key.export({ format: 'jwk' }).x ?? '';
}

function parseKey(text: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: text }, format: 'jwk' });
}
