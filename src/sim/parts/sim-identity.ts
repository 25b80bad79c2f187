/**
 * The Identity port without cryptography: a signature is a digest of key and text. Nothing in a simulation tries to
 * forge one, but a wrong key, text or topic must not verify.
 */
import type { Identity } from '../../identity/identity.js';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Creates the identity of a node. The same name gives the same key. */
export function createSimIdentity(name: string): Identity {
  const publicKey = digestText(`key of ${name}`, 43);
  return {
    publicKey,
    sign: (text) => digestText(`${publicKey}\n${text}`, 86),
    verify: (key, text, signature) => digestText(`${key}\n${text}`, 86) === signature,
  };
}

/** A digest of a text, with `length` letters. */
function digestText(text: string, length: number): string {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (let i = 0; i < text.length; i += 1) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
    b = Math.imul(b ^ text.charCodeAt(i), 0x85ebca6b);
  }
  let letters = '';
  while (letters.length < length) {
    a = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d);
    b = Math.imul(b ^ (b >>> 13), 0x297a2d39);
    letters += LETTERS.charAt((a ^ b) & 63);
  }
  return letters;
}
