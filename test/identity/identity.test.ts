import { execFileSync, spawn } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTlsPair } from '../../src/identity/certificate.js';
import { createIdentity, formatPublicKey } from '../../src/identity/create-identity.js';
import { KeyFileError, keyPath, loadKey } from '../../src/identity/key-file.js';
import { loadIdentity } from '../../src/identity/load-identity.js';
import { requirement } from '../requirements.js';

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'tritmesh-identity-'));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

function newIdentity(): ReturnType<typeof createIdentity> {
  return createIdentity(generateKeyPairSync('ed25519').privateKey);
}

describe('the key file', () => {
  it('is made at first start, private, and read at the second', () => {
    const first = loadIdentity(join(stateDir, 'deep', 'state'));
    const second = loadIdentity(join(stateDir, 'deep', 'state'));
    expect(second.publicKey).toBe(first.publicKey);
    expect(second.tls.cert).toBe(first.tls.cert);
    const path = keyPath(join(stateDir, 'deep', 'state'));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(readdirSync(dirname(path))).toEqual(['key.pem']);
  });

  it('is refused, with the cure, when others can read it', () => {
    loadIdentity(stateDir);
    chmodSync(keyPath(stateDir), 0o640);
    expect(() => loadIdentity(stateDir)).toThrow(KeyFileError);
    expect(() => loadIdentity(stateDir)).toThrow(/mode 640.*chmod 600/s);
  });

  it.each([
    ['garbage', 'not a key', /holds no private key/],
    ['nothing', '', /holds no private key/],
    [
      'a key of another kind',
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      /type ec, not Ed25519/,
    ],
  ])('is refused when it holds %s', (_name, text, message) => {
    mkdirSync(dirname(keyPath(stateDir)), { recursive: true });
    writeFileSync(keyPath(stateDir), text, { mode: 0o600 });
    expect(() => loadKey(stateDir)).toThrow(message);
  });

  const built = join(import.meta.dirname, '../../dist/src/identity/load-identity.js');
  it.skipIf(!requirement('the build', existsSync(built), 'npm run build'))(
    'is one key when many processes start at once',
    async () => {
      const program = join(import.meta.dirname, '../fixtures/print-public-key.mjs');
      const keys = await Promise.all(
        Array.from({ length: 4 }, async () => {
          const child = spawn(process.execPath, [program, built, stateDir], { stdio: ['ignore', 'pipe', 'inherit'] });
          const chunks: Buffer[] = [];
          child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
          await once(child, 'close');
          return Buffer.concat(chunks).toString();
        }),
      );
      expect(keys[0]).toMatch(/^[A-Za-z0-9_-]{43}$/);
      expect(new Set(keys).size).toBe(1);
    },
  );
});

describe('signatures', () => {
  it('have 86 characters and hold for the text, the key and nothing else', () => {
    const [mine, other] = [newIdentity(), newIdentity()];
    const signature = mine.sign('topic\n{"ä":1}');
    expect(signature).toMatch(/^[A-Za-z0-9_-]{86}$/);
    expect(other.verify(mine.publicKey, 'topic\n{"ä":1}', signature)).toBe(true);
    expect(other.verify(mine.publicKey, 'topic\n{"ä":2}', signature)).toBe(false);
    expect(other.verify(other.publicKey, 'topic\n{"ä":1}', signature)).toBe(false);
  });

  it('have one spelling: the spare bits of base64url must be zero', () => {
    const mine = newIdentity();
    const signature = mine.sign('text');
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(signature.slice(-1));
    const respelled = signature.slice(0, -1) + (alphabet[last ^ 1] ?? '');
    expect(Buffer.from(respelled, 'base64url')).toEqual(Buffer.from(signature, 'base64url'));
    expect(mine.verify(mine.publicKey, 'text', respelled)).toBe(false);
  });

  it('never throw on garbage', () => {
    const mine = newIdentity();
    const signature = mine.sign('text');
    const garbage = fc.oneof(fc.string(), fc.base64String(), fc.constant(mine.publicKey), fc.constant(signature));
    const key = fc.oneof(
      garbage,
      fc.string({ unit: fc.constantFrom('A', 'Z', 'a', 'z', '0', '9', '-', '_'), minLength: 43, maxLength: 43 }),
    );
    const mark = fc.oneof(
      garbage,
      fc.string({ unit: fc.constantFrom('A', 'Z', 'a', 'z', '0', '9', '-', '_'), minLength: 86, maxLength: 86 }),
    );
    fc.assert(
      fc.property(key, fc.string(), mark, (by, text, sig) => {
        expect(mine.verify(by, text, sig)).toBe(by === mine.publicKey && text === 'text' && sig === signature);
      }),
    );
  });

  it('are refused for another kind of key', () => {
    expect(() => createIdentity(generateKeyPairSync('x25519').privateKey)).toThrow(TypeError);
  });
});

describe('the certificate', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { cert } = createTlsPair(privateKey);

  it('carries the key, is signed by it and outlasts every clock', () => {
    const parsed = new X509Certificate(cert);
    expect(formatPublicKey(parsed.publicKey)).toBe(formatPublicKey(createPublicKey(privateKey)));
    expect(parsed.verify(createPublicKey(privateKey))).toBe(true);
    expect(parsed.verify(generateKeyPairSync('ed25519').publicKey)).toBe(false);
    expect(parsed.validFrom).toContain('1970');
    expect(parsed.validTo).toContain('4096');
    expect(parsed.subjectAltName).toBe('DNS:tritmesh');
    expect(createTlsPair(privateKey).cert).toBe(cert);
  });

  it('has a positive, minimal serial number for every key', () => {
    for (let round = 0; round < 64; round += 1) {
      const serial = new X509Certificate(createTlsPair(generateKeyPairSync('ed25519').privateKey).cert).serialNumber;
      expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
    }
  });

  it('is accepted by openssl as its own authority', () => {
    const path = join(stateDir, 'cert.pem');
    writeFileSync(path, cert);
    expect(execFileSync('openssl', ['verify', '-CAfile', path, '-check_ss_sig', path], { encoding: 'utf8' })).toContain(
      'OK',
    );
  });
});
