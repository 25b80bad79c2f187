/**
 * The self-signed TLS certificate that carries a node's key. Peers check only the key in it, so its validity covers
 * every wrong clock (1970 to 4096), and the same key always yields the same bytes: no file needs to be stored. This
 * module only writes DER and never parses it.
 */
import { createHash, createPublicKey, sign, type KeyObject } from 'node:crypto';

/** A private key and the certificate for it, both PEM, as node:tls takes them. */
export interface TlsPair {
  readonly key: string;
  readonly cert: string;
}

const COMMON_NAME = 'tritmesh';
const TAG = {
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
};
/** Algorithm identifier 1.3.101.112 of RFC 8410, without parameters. */
const ED25519: Buffer = encode(TAG.sequence, encode(TAG.oid, Buffer.from([0x2b, 0x65, 0x70])));
const OID_COMMON_NAME: Buffer = encode(TAG.oid, Buffer.from([0x55, 0x04, 0x03]));
const OID_ALTERNATIVE_NAME: Buffer = encode(TAG.oid, Buffer.from([0x55, 0x1d, 0x11]));

/** Creates the key pair that TLS servers and clients of this node present, from an Ed25519 private key. */
export function createTlsPair(privateKey: KeyObject): TlsPair {
  const body = encodeBody(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
  const signature = encode(TAG.bits, Buffer.from([0]), sign(null, body, privateKey));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: formatPem(encode(TAG.sequence, body, ED25519, signature)),
  };
}

/** TBSCertificate of RFC 5280, version 3. */
function encodeBody(publicKey: Buffer): Buffer {
  const version = encode(0xa0, encode(TAG.integer, Buffer.from([2])));
  return encode(
    TAG.sequence,
    version,
    encodeSerial(publicKey),
    ED25519,
    encodeName(),
    encodeValidity(),
    encodeName(),
    publicKey,
    encodeExtensions(),
  );
}

/** Sixteen bytes of the key's hash; the first is forced into 64 to 127, which makes the number positive and minimal. */
function encodeSerial(publicKey: Buffer): Buffer {
  const serial = createHash('sha256').update(publicKey).digest().subarray(0, 16);
  serial.writeUInt8((serial.readUInt8(0) & 0x3f) | 0x40, 0);
  return encode(TAG.integer, serial);
}

function encodeName(): Buffer {
  const pair = encode(TAG.sequence, OID_COMMON_NAME, encode(TAG.utf8, Buffer.from(COMMON_NAME)));
  return encode(TAG.sequence, encode(TAG.set, pair));
}

/** RFC 5280: years up to 2049 as UTCTime, later ones as GeneralizedTime. */
function encodeValidity(): Buffer {
  const from = encode(TAG.utcTime, Buffer.from('700101000000Z'));
  return encode(TAG.sequence, from, encode(TAG.time, Buffer.from('40960101000000Z')));
}

/** The subject alternative name: some TLS libraries refuse a certificate without one. */
function encodeExtensions(): Buffer {
  const names = encode(TAG.sequence, encode(0x82, Buffer.from(COMMON_NAME)));
  const extension = encode(TAG.sequence, OID_ALTERNATIVE_NAME, encode(TAG.octets, names));
  return encode(0xa3, encode(TAG.sequence, extension));
}

function encode(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...encodeLength(body.length)]), body]);
}

/** DER length: one byte below 128, otherwise the count of bytes and the bytes. No part here reaches 65,536. */
function encodeLength(length: number): readonly number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

function formatPem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
