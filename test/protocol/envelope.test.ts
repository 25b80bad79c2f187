/** The envelope: a signature travels in readable text, and any change of that text invalidates it. */
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readProof, sealMessage, type Sign } from '../../src/protocol/envelope.js';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const signText: Sign = (text) => sign(null, Buffer.from(text), privateKey).toString('base64url');
const stamp = { ts: '1970-01-01T00:00:00.000Z', boot: 1, seq: 2 };

function holds(topic: string, text: string): boolean {
  const proof = readProof(topic, text);
  return (
    proof !== undefined &&
    verify(null, Buffer.from(proof.covered), publicKey, Buffer.from(proof.signature, 'base64url'))
  );
}

describe('the envelope', () => {
  it('puts v and ts first, boot, seq and the signature last', () => {
    const text = sealMessage('t/a', { x: 1 }, stamp, () => 's'.repeat(86));
    expect(text).toBe(`{"v":1,"ts":"1970-01-01T00:00:00.000Z","x":1,"boot":1,"seq":2,"sig":"${'s'.repeat(86)}"}`);
    expect(readProof('t/a', text)).toEqual({
      covered: `t/a\n${text.slice(0, text.indexOf(',"sig"'))}}`,
      signature: 's'.repeat(86),
    });
  });

  it('carries no proof in an unsigned message', () => {
    expect(readProof('t/a', sealMessage('t/a', { x: 1 }, stamp))).toBeUndefined();
  });

  it('verifies a signed message, whatever its values are', () => {
    fc.assert(
      fc.property(fc.string(), fc.dictionary(fc.string(), fc.jsonValue()), (topic, body) => {
        const text = sealMessage(topic, { data: body }, stamp, signText);
        expect(holds(topic, text)).toBe(true);
        expect(JSON.parse(text)).toMatchObject({ v: 1, boot: 1, seq: 2 });
      }),
      { numRuns: 50 },
    );
  });

  it('does not verify after any character has changed', () => {
    const text = sealMessage('t/a', { x: 'hello', y: [1, 2] }, stamp, signText);
    // The last character of the signature has two unused bits, so only the characters before it are changed.
    const end = text.length - 3;
    fc.assert(
      fc.property(fc.nat(end - 1), fc.integer({ min: 32, max: 126 }), (at, code) => {
        const letter = String.fromCharCode(code);
        fc.pre(letter !== text[at]);
        expect(holds('t/a', `${text.slice(0, at)}${letter}${text.slice(at + 1)}`)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('covers the topic: a message cannot be replayed on another one', () => {
    expect(holds('t/b', sealMessage('t/a', { x: 1 }, stamp, signText))).toBe(false);
  });

  it('does not take a signature inside a text value for its own', () => {
    const fake = sealMessage('t/a', { x: `,"sig":"${'s'.repeat(86)}"}` }, stamp);
    expect(readProof('t/a', fake)).toBeUndefined();
  });
});
