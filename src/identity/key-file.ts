/**
 * The file that holds a node's private key: made at first start, read ever after. It refuses a key that other users of
 * the machine can read, and two processes that start at once end with one key: the first link wins.
 */
import { createPrivateKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

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

/** Where the key of a node lives below its state directory. */
export function keyPath(stateDir: string): string {
  return join(stateDir, 'identity', 'key.pem');
}

/** Reads the Ed25519 key below `stateDir`, and makes it if there is none. Throws {@link KeyFileError}. */
export function loadKey(stateDir: string): KeyObject {
  const path = keyPath(stateDir);
  return readKey(path) ?? makeKey(path);
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
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new KeyFileError(path, `the key file ${path} cannot be read: ${String(error)}`);
  }
}

function refuseReadable(path: string, mode: number): void {
  // Windows has no such bits: they always read as open there.
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
    throw new KeyFileError(path, `the key file ${path} holds no private key in PEM form`);
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new KeyFileError(path, `the key file ${path} holds a key of type ${key.asymmetricKeyType}, not Ed25519`);
}

/** A link appears whole or not at all and never replaces: whoever loses the race reads the winner's key. */
function makeKey(path: string): KeyObject {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
  try {
    writeDraft(draft, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    linkDraft(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
  const key = readKey(path);
  if (key === undefined) throw new KeyFileError(path, `the key file ${path} vanished while it was made`);
  return key;
}

function writeDraft(draft: string, pem: string): void {
  const file = openSync(draft, 'wx', 0o600);
  try {
    writeSync(file, pem);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function linkDraft(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}
