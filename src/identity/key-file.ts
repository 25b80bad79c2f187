/**
 * The file with a node's private key: created at the first start and only read from then on. A key that other users of
 * the machine can read is refused, and two processes that start at once end up with one key: the first link wins.
 */
import { createPrivateKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { closeSync, fstatSync, linkSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode } from '../os/errors.js';
import { writeSynced } from '../os/write-whole.js';

const OTHERS_MASK = 0o077;

/** A key file that must not be used; the message says why and what to do. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

/** Path of the key of a node below its state directory. */
export function keyPath(stateDir: string): string {
  return join(stateDir, 'identity', 'key.pem');
}

/** Reads the Ed25519 key below `stateDir`, or creates one if there is none. Throws {@link KeyFileError}. */
export function loadKey(stateDir: string): KeyObject {
  const path = keyPath(stateDir);
  return readKey(path) ?? createKey(path);
}

function readKey(path: string): KeyObject | undefined {
  const file = openKey(path);
  if (file === undefined) return undefined;
  try {
    refuseReadable(path, fstatSync(file).mode);
    return parseKey(path, readFileSync(file, 'utf8'));
  } finally {
    closeSync(file);
  }
}

function openKey(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new KeyFileError(path, `the key file ${path} cannot be read: ${String(error)}`);
  }
}

function refuseReadable(path: string, mode: number): void {
  // Windows has no such bits: files always appear to be open to others.
  if (process.platform === 'win32' || (mode & OTHERS_MASK) === 0) return;
  const octal = (mode & 0o777).toString(8).padStart(3, '0');
  throw new KeyFileError(
    path,
    `the key file ${path} is open to other users (mode ${octal}): make it private with "chmod 600 ${path}", ` +
      'or remove it to get a new key if it may have been read',
  );
}

function parseKey(path: string, pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new KeyFileError(path, `the key file ${path} does not contain a private key in PEM format`);
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new KeyFileError(path, `the key file ${path} contains a key of type ${key.asymmetricKeyType}, not Ed25519`);
}

/**
 * A link appears whole or not at all and never replaces a file: the process that loses the race reads the winner's key.
 */
function createKey(path: string): KeyObject {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
  try {
    const { privateKey } = generateKeyPairSync('ed25519');
    writeSynced(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'wx');
    linkDraft(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
  const key = readKey(path);
  if (key === undefined) throw new KeyFileError(path, `the key file ${path} vanished while it was being created`);
  return key;
}

function linkDraft(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}
