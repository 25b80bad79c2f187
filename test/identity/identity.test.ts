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
import { requirement } from '../support/requirements.js';

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'tritmesh-identity-'));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

function newIdentity(): ReturnType<typeof createIdentity> {
  return createIdentity(generateKeyPairSync('ed25519').privateKey);
}

describe('the key file', () => {
  it('the key file is created private at the first start and read at the second', () => {
    const first = loadIdentity(join(stateDir, 'deep', 'state'));
    const second = loadIdentity(join(stateDir, 'deep', 'state'));
    expect(second.publicKey).toBe(first.publicKey);
    expect(second.tls.cert).toBe(first.tls.cert);
    const path = keyPath(join(stateDir, 'deep', 'state'));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(readdirSync(dirname(path))).toEqual(['key.pem']);
  });

  it('a key file that others can read is refused, with what to do', () => {
    loadIdentity(stateDir);
    chmodSync(keyPath(stateDir), 0o640);
    expect(() => loadIdentity(stateDir)).toThrow(KeyFileError);
    expect(() => loadIdentity(stateDir)).toThrow(/mode 640.*chmod 600/s);
  });

  it.each([
    ['garbage', 'not a key', /does not contain a private key/],
    ['nothing', '', /does not contain a private key/],
    [
      'a key of another type',
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      /type ec, not Ed25519/,
    ],
  ])('a key file with %s is refused', (_name, text, message) => {
    mkdirSync(dirname(keyPath(stateDir)), { recursive: true });
    writeFileSync(keyPath(stateDir), text, { mode: 0o600 });
    expect(() => loadKey(stateDir)).toThrow(message);
  });

  const built = join(import.meta.dirname, '../../dist/src/identity/load-identity.js');
  it.skipIf(!requirement('the build', existsSync(built), 'npm run build'))(
    'many processes that start at once end up with one key',
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
  it('a signature has 86 characters and is valid for its text and key only', () => {
    const [mine, other] = [newIdentity(), newIdentity()];
    const signature = mine.sign('topic\n{"ä":1}');
    expect(signature).toMatch(/^[A-Za-z0-9_-]{86}$/);
    expect(other.verify(mine.publicKey, 'topic\n{"ä":1}', signature)).toBe(true);
    expect(other.verify(mine.publicKey, 'topic\n{"ä":2}', signature)).toBe(false);
    expect(other.verify(other.publicKey, 'topic\n{"ä":1}', signature)).toBe(false);
  });

  it('a signature has one spelling: the spare bits of base64url must be zero', () => {
    const mine = newIdentity();
    const signature = mine.sign('text');
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(signature.slice(-1));
    const respelled = signature.slice(0, -1) + (alphabet[last ^ 1] ?? '');
    expect(Buffer.from(respelled, 'base64url')).toEqual(Buffer.from(signature, 'base64url'));
    expect(mine.verify(mine.publicKey, 'text', respelled)).toBe(false);
  });

  it('verifying never throws on garbage', () => {
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

  it('an identity cannot be created from another type of key', () => {
    expect(() => createIdentity(generateKeyPairSync('x25519').privateKey)).toThrow(TypeError);
  });
});

describe('the certificate', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { cert } = createTlsPair(privateKey);

  it('the certificate carries the key, is signed by it and outlasts every clock', () => {
    const parsed = new X509Certificate(cert);
    expect(formatPublicKey(parsed.publicKey)).toBe(formatPublicKey(createPublicKey(privateKey)));
    expect(parsed.verify(createPublicKey(privateKey))).toBe(true);
    expect(parsed.verify(generateKeyPairSync('ed25519').publicKey)).toBe(false);
    expect(parsed.validFrom).toContain('1970');
    expect(parsed.validTo).toContain('4096');
    expect(parsed.subjectAltName).toBe('DNS:tritmesh');
    expect(createTlsPair(privateKey).cert).toBe(cert);
  });

  it('the serial number is positive and minimal for every key', () => {
    for (let round = 0; round < 64; round += 1) {
      const serial = new X509Certificate(createTlsPair(generateKeyPairSync('ed25519').privateKey).cert).serialNumber;
      expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
    }
  });

  it('openssl accepts the certificate as its own authority', () => {
    const path = join(stateDir, 'cert.pem');
    writeFileSync(path, cert);
    expect(execFileSync('openssl', ['verify', '-CAfile', path, '-check_ss_sig', path], { encoding: 'utf8' })).toContain(
      'OK',
    );
  });
});
