/**
 * The format of the broker's password file: scrypt hashes in lines `user:scrypt$…`, with `:operator` at the end for
 * users who may control other nodes. It converts between text and records, and does not touch files or connections. An
 * error never contains a password.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { NODE_ID_PATTERN } from '../src/protocol/topics.js';

/** One line of the file. */
export interface PasswordRecord {
  /** The name of the user, which is the id of its node. */
  readonly user: string;
  /** `scrypt$N$r$p$salt$key`, salt and key in base64url. */
  readonly hash: string;
  readonly isOperator: boolean;
}

/** An invalid line of a password file, or an invalid user name. */
export class PasswordFileFault extends Error {
  override readonly name = 'PasswordFileFault';
  /** Line number, from 1; 0 when the fault is in a name rather than in a line. */
  readonly line: number;
  constructor(line: number, reason: string) {
    super(line === 0 ? reason : `line ${line}: ${reason}`);
    this.line = line;
  }
}

/** About 50 ms and 16 MiB on a small machine; repeated logins stay cheap because verified passwords are remembered. */
const COST = { N: 16_384, r: 8, p: 1 } as const;
const COST_MAX = 1 << 20;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const HASH_PATTERN = /^scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9_-]{8,86})\$([A-Za-z0-9_-]{43})$/;

/** Hashes a password with a new random salt. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await deriveKey(password, salt, COST);
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/** Whether `password` has this hash, compared in constant time; false for a malformed hash. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const [, N, r, p, salt, key] = HASH_PATTERN.exec(hash) ?? [];
  if (salt === undefined || key === undefined) return false;
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  const derived = await deriveKey(password, Buffer.from(salt, 'base64url'), cost);
  return timingSafeEqual(derived, Buffer.from(key, 'base64url'));
}

/**
 * Parses the text of a password file; blank lines and lines that start with `#` are skipped.
 *
 * @throws PasswordFileFault naming the line
 */
export function parsePasswords(text: string): readonly PasswordRecord[] {
  const records: PasswordRecord[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    records.push(parseLine(line, index + 1));
  }
  return records;
}

/** Formats records as the text of a password file. */
export function formatPasswords(records: readonly PasswordRecord[]): string {
  return records.map(({ user, hash, isOperator }) => `${user}:${hash}${isOperator ? ':operator' : ''}\n`).join('');
}

/**
 * Checks a user name.
 *
 * @throws PasswordFileFault when it cannot be the id of a node
 */
export function checkUserName(user: string): void {
  if (!NODE_ID_PATTERN.test(user))
    throw new PasswordFileFault(0, `the user name ${JSON.stringify(user)} must be the id of a node: [a-z0-9-]{1,32}`);
}

function parseLine(line: string, number: number): PasswordRecord {
  const [user = '', hash = '', role, ...rest] = line.trim().split(':');
  if (!NODE_ID_PATTERN.test(user)) throw new PasswordFileFault(number, 'the user must match [a-z0-9-]{1,32}');
  const cost = HASH_PATTERN.exec(hash);
  if (cost === null || Number(cost[1]) > COST_MAX)
    throw new PasswordFileFault(number, 'the hash must be scrypt$N$r$p$salt$key');
  if (rest.length > 0 || (role !== undefined && role !== 'operator')) {
    throw new PasswordFileFault(number, 'only ":operator" may follow the hash');
  }
  return { user, hash, isOperator: role === 'operator' };
}

function deriveKey(password: string, salt: Buffer, cost: { N: number; r: number; p: number }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, KEY_BYTES, { ...cost, maxmem: 256 * cost.N * cost.r }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
