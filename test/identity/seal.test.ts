import { generateKeyPairSync } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSealer, sealTo } from '../../src/identity/seal.js';

const key = generateKeyPairSync('ed25519').privateKey;
const sealer = createSealer(key);
const other = createSealer(generateKeyPairSync('ed25519').privateKey);

describe('a seal', () => {
  it('only its node opens a seal, for the same context, byte by byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.string(), (bytes, context) => {
        const sealed = sealTo(sealer.sealKey, bytes, context);
        expect(sealed).toMatch(/^[A-Za-z0-9+/]+={0,2}$/);
        expect(sealer.open(sealed, context)?.equals(bytes)).toBe(true);
        expect(other.open(sealed, context)).toBeUndefined();
        expect(sealer.open(sealed, `${context}.`)).toBeUndefined();
      }),
      { numRuns: 30 },
    );
  });

  it('a seal reveals nothing of its contents and differs each time', () => {
    const text = Buffer.from('a secret of some length');
    const [one, two] = [sealTo(sealer.sealKey, text, 'x'), sealTo(sealer.sealKey, text, 'x')];
    expect(one).not.toBe(two);
    expect(Buffer.from(one, 'base64').includes('secret')).toBe(false);
  });

  it('a seal with any flipped bit does not open, and neither does any other text', () => {
    const sealed = Buffer.from(sealTo(sealer.sealKey, Buffer.from('hello'), 'x'), 'base64');
    for (let at = 0; at < sealed.length; at += 1) {
      const bent = Buffer.from(sealed);
      bent[at] = (bent[at] ?? 0) ^ 4;
      expect(sealer.open(bent.toString('base64'), 'x')).toBeUndefined();
    }
    for (const bad of ['', 'AAAA', 'A'.repeat(43), 'A'.repeat(64), '!']) expect(sealer.open(bad, 'x')).toBeUndefined();
  });

  it('a node always gets the same seal key, which differs from its identity key', () => {
    expect(createSealer(key).sealKey).toBe(sealer.sealKey);
    expect(sealer.sealKey).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(sealer.sealKey).not.toBe(key.export({ format: 'jwk' }).x);
  });

  it('an invalid key, or a key of another type, is refused', () => {
    expect(() => sealTo('short', Buffer.from('x'), 'x')).toThrow();
    expect(() => createSealer(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)).toThrow();
  });
});
