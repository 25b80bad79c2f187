/**
 * The password file: adding and removing users, and authenticating them. The file is read again whenever it has
 * changed, so adding or removing a user needs no restart of the broker.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { dirname } from 'node:path';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { errorCode } from '../src/os/errors.js';
import type { BrokerUser } from './authorize.js';
import {
  checkUserName,
  formatPasswords,
  hashPassword,
  parsePasswords,
  verifyPassword,
  type PasswordRecord,
} from './passwords.js';

/** Checks the users of a password file. */
export interface Authenticator {
  /** Rejects when the file cannot be read: PasswordFileFault, or the system's error. */
  check(): Promise<void>;
  /** The user, or `undefined` when name or password is wrong. Rejects when the file cannot be read. */
  authenticate(user: string, password: string): Promise<Exclude<BrokerUser, 'anonymous'> | undefined>;
}

/** Creates an authenticator for a password file, which is not read yet. */
export function createAuthenticator(path: string): Authenticator {
  // Digests of verified passwords under a random key of this process: further logins of a user need no scrypt.
  const runKey = randomBytes(32);
  const verified = new Map<string, Buffer>();
  let mark = '';
  let records = new Map<string, PasswordRecord>();
  let unknownHash: Promise<string> | undefined;

  async function refresh(): Promise<void> {
    const { mtimeMs, size, ino } = await stat(path);
    const seen = `${mtimeMs} ${size} ${ino}`;
    if (seen === mark) return;
    records = new Map(parsePasswords(await readFile(path, 'utf8')).map((record) => [record.user, record]));
    mark = seen;
    verified.clear();
  }

  return {
    check: refresh,
    async authenticate(user, password) {
      await refresh();
      const record = records.get(user);
      if (record === undefined) {
        // Takes as long as a wrong password: the time must not reveal which users exist.
        unknownHash ??= hashPassword('');
        await verifyPassword(password, await unknownHash);
        return undefined;
      }
      const authenticated = { name: user, isOperator: record.isOperator };
      const digest = createHmac('sha256', runKey).update(`${record.hash}\n${password}`).digest();
      const known = verified.get(user);
      if (known !== undefined && timingSafeEqual(known, digest)) return authenticated;
      if (!(await verifyPassword(password, record.hash))) return undefined;
      verified.set(user, digest);
      return authenticated;
    },
  };
}

/** Reads the users of a password file; none when there is no such file. Rejects with PasswordFileFault. */
export async function readPasswordFile(path: string): Promise<readonly PasswordRecord[]> {
  try {
    return parsePasswords(await readFile(path, 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Adds a user or changes its password and role; creates the file (mode 0600) if needed. Comments in it are lost. */
export async function addUser(path: string, user: string, password: string, isOperator = false): Promise<void> {
  checkUserName(user);
  const record: PasswordRecord = { user, hash: await hashPassword(password), isOperator };
  const others = (await readPasswordFile(path)).filter((one) => one.user !== user);
  await writePasswordFile(path, [...others, record]);
}

/** Removes a user; false when there was no such user. */
export async function removeUser(path: string, user: string): Promise<boolean> {
  const all = await readPasswordFile(path);
  const others = all.filter((one) => one.user !== user);
  if (others.length === all.length) return false;
  await writePasswordFile(path, others);
  return true;
}

/** Replaces the file atomically: a broker must never read half of it. */
async function writePasswordFile(path: string, records: readonly PasswordRecord[]): Promise<void> {
  const fresh = `${path}.${randomBytes(4).toString('hex')}.new`;
  await mkdir(dirname(fresh), { recursive: true, mode: 0o700 });
  await writeFile(fresh, formatPasswords(records), { mode: 0o600, flag: 'wx' });
  await rename(fresh, path);
}
