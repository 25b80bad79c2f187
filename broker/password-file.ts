/**
 * The password file: adding and removing users, and the door that checks them. The door reads the file again when it has
 * changed, so that a user who was added or removed needs no restart of the broker.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { dirname } from 'node:path';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import type { BrokerUser } from './authorize.js';
import {
  checkUserName,
  formatPasswords,
  hashPassword,
  parsePasswords,
  verifyPassword,
  type PasswordRecord,
} from './passwords.js';

/** Checks users at the door. */
export interface Door {
  /** Rejects when the file cannot be read: PasswordFileFault, or the system's error. */
  check(): Promise<void>;
  /** The user, or `undefined` when name or password is wrong. Rejects when the file cannot be read. */
  admit(user: string, password: string): Promise<Exclude<BrokerUser, 'anonymous'> | undefined>;
}

/** Opens the door that a password file keeps; nothing is read yet. */
export function createDoor(path: string): Door {
  // What a verified password looks like under a key of this run: the next connect of its user costs no scrypt.
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
    async admit(user, password) {
      await refresh();
      const record = records.get(user);
      if (record === undefined) {
        // Takes as long as a wrong password, so that the time does not tell which users there are.
        unknownHash ??= hashPassword('');
        await verifyPassword(password, await unknownHash);
        return undefined;
      }
      const admitted = { name: user, isOperator: record.isOperator };
      const digest = createHmac('sha256', runKey).update(`${record.hash}\n${password}`).digest();
      const known = verified.get(user);
      if (known !== undefined && timingSafeEqual(known, digest)) return admitted;
      if (!(await verifyPassword(password, record.hash))) return undefined;
      verified.set(user, digest);
      return admitted;
    },
  };
}

/** Reads the users of a password file; none when there is no such file. Rejects with PasswordFileFault. */
export async function readPasswordFile(path: string): Promise<readonly PasswordRecord[]> {
  try {
    return parsePasswords(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** Adds a user or changes its password and role; makes the file (mode 0600) when there is none. Comments are lost. */
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

/** Whole or not at all: a broker that reads meanwhile must not see half a file. */
async function writePasswordFile(path: string, records: readonly PasswordRecord[]): Promise<void> {
  const fresh = `${path}.${randomBytes(4).toString('hex')}.new`;
  await mkdir(dirname(fresh), { recursive: true, mode: 0o700 });
  await writeFile(fresh, formatPasswords(records), { mode: 0o600, flag: 'wx' });
  await rename(fresh, path);
}
