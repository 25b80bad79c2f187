/**
 * The envelope: the stamp that every JSON message carries, and the signature that travels with it in readable text. The
 * text of a signed message ends in `,"sig":"<86 characters>"}`; the signature covers topic, newline and the text
 * without that member, so no canonical form of JSON is needed. Cryptography is passed in as functions; this file only
 * splits and joins text.
 */
import { PROTOCOL_VERSION } from './limits.js';
import type { Stamped } from './messages.js';

/** The stamp of a message; its version is added when it is sealed. */
export type Stamp = Omit<Stamped, 'v'>;

/** Signs text with the node's own key; returns 86 characters of base64url. */
export type Sign = (text: string) => string;
/** Checks a signature against a public key (43 characters of base64url, the raw 32 bytes). Never throws. */
export type Verify = (key: string, text: string, signature: string) => boolean;

/** A signature and the exact text that it covers. */
export interface Proof {
  readonly covered: string;
  readonly signature: string;
}

const SUFFIX = /,"sig":"([A-Za-z0-9_-]{86})"\}$/;

/** Writes a message: `v` and `ts` first, its own fields, then `boot` and `seq`; signed when `sign` is given. */
export function sealMessage(topic: string, body: object, stamp: Stamp, sign?: Sign): string {
  const text = JSON.stringify({ v: PROTOCOL_VERSION, ts: stamp.ts, ...body, boot: stamp.boot, seq: stamp.seq });
  if (sign === undefined) return text;
  return `${text.slice(0, -1)},"sig":"${sign(`${topic}\n${text}`)}"}`;
}

/** Finds the signature of a message and what it covers; `undefined` when the text carries none. */
export function readProof(topic: string, text: string): Proof | undefined {
  const match = SUFFIX.exec(text);
  if (match?.[1] === undefined) return undefined;
  return { covered: `${topic}\n${text.slice(0, match.index)}}`, signature: match[1] };
}
