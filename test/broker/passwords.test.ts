import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addUser, createAuthenticator, readPasswordFile, removeUser } from '../../broker/password-file.js';
import {
  formatPasswords,
  hashPassword,
  parsePasswords,
  PasswordFileFault,
  verifyPassword,
} from '../../broker/passwords.js';

const HASH = `scrypt$16384$8$1$${'s'.repeat(22)}$${'k'.repeat(43)}`;

describe('a password', () => {
  it('a password verifies against its own hash and no other', async () => {
    const hash = await hashPassword('correct horse');
    expect(hash).toMatch(/^scrypt\$16384\$8\$1\$/);
    expect(await verifyPassword('correct horse', hash)).toBe(true);
    expect(await verifyPassword('correct horsf', hash)).toBe(false);
    expect(await verifyPassword('', hash)).toBe(false);
  });

  it('a password never has the same hash twice', async () => {
    expect(await hashPassword('x')).not.toBe(await hashPassword('x'));
  });

  it('a password does not verify against a malformed hash', async () => {
    expect(await verifyPassword('x', 'x')).toBe(false);
    expect(await verifyPassword('', '')).toBe(false);
  });
});

describe('the text of a password file', () => {
  it('records survive formatting and parsing', () => {
    const records = [
      { user: 'alpha', hash: HASH, isOperator: false },
      { user: 'deck', hash: HASH, isOperator: true },
    ];
    expect(parsePasswords(formatPasswords(records))).toEqual(records);
  });

  it('comments, blank lines and CRLF line ends are skipped', () => {
    expect(parsePasswords(`# who\r\n\r\nalpha:${HASH}\r\n`)).toEqual([
      { user: 'alpha', hash: HASH, isOperator: false },
    ]);
  });

  it.each([
    ['a clear-text password', 'alpha:secret', 'the hash must be'],
    ['a user that cannot be a node', `Alpha Beta:${HASH}`, 'the user must match'],
    ['an unknown role', `alpha:${HASH}:admin`, 'only ":operator" may follow the hash'],
    ['a hash that is too expensive to check', `alpha:${HASH.replace('16384', '9999999')}`, 'the hash must be'],
  ])('%s is refused with the line number and without the secret', (_title, line, reason) => {
    const parse = (): unknown => parsePasswords(`# first\n${line}\n`);
    expect(parse).toThrow(PasswordFileFault);
    expect(parse).toThrow(`line 2: ${reason}`);
    expect(parse).not.toThrow('secret');
  });

  it('any text is either parsed or refused with PasswordFileFault', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        try {
          parsePasswords(text);
        } catch (error) {
          expect(error).toBeInstanceOf(PasswordFileFault);
        }
      }),
    );
  });
});

describe('a password file', () => {
  let dir: string;
  let path: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'tritmesh-passwords-'));
    path = join(dir, 'passwords');
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('the file is created with its first user, readable by its owner only, and without leftovers', async () => {
    await addUser(path, 'alpha', 'one');
    await addUser(path, 'deck', 'two', true);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(dir)).toEqual(['passwords']);
    expect(await readFile(path, 'utf8')).not.toMatch(/one|two/);
    expect((await readPasswordFile(path)).map(({ user, isOperator }) => [user, isOperator])).toEqual([
      ['alpha', false],
      ['deck', true],
    ]);
  });

  it('the password of an existing user is replaced', async () => {
    await addUser(path, 'alpha', 'one');
    await addUser(path, 'alpha', 'two');
    const records = await readPasswordFile(path);
    expect(records).toHaveLength(1);
    expect(await verifyPassword('two', records[0]?.hash ?? '')).toBe(true);
  });

  it('a user is removed, and removing an unknown one returns false', async () => {
    await addUser(path, 'alpha', 'one');
    expect(await removeUser(path, 'beta')).toBe(false);
    expect(await removeUser(path, 'alpha')).toBe(true);
    expect(await readPasswordFile(path)).toEqual([]);
  });

  it('a user whose name cannot be a node id is refused', async () => {
    await expect(addUser(path, 'a:b', 'x')).rejects.toThrow(PasswordFileFault);
    expect(await readPasswordFile(path)).toEqual([]);
  });

  it('users are authenticated by password, and operators are marked', async () => {
    await addUser(path, 'alpha', 'one');
    await addUser(path, 'deck', 'two', true);
    const authenticator = createAuthenticator(path);
    expect(await authenticator.authenticate('alpha', 'one')).toEqual({ name: 'alpha', isOperator: false });
    expect(await authenticator.authenticate('alpha', 'one')).toEqual({ name: 'alpha', isOperator: false });
    expect(await authenticator.authenticate('deck', 'two')).toEqual({ name: 'deck', isOperator: true });
    expect(await authenticator.authenticate('alpha', 'two')).toBeUndefined();
    expect(await authenticator.authenticate('nobody', 'one')).toBeUndefined();
  });

  it('changes of the file take effect at once', async () => {
    await addUser(path, 'alpha', 'one');
    const authenticator = createAuthenticator(path);
    expect(await authenticator.authenticate('alpha', 'one')).toBeDefined();
    await addUser(path, 'alpha', 'two');
    expect(await authenticator.authenticate('alpha', 'one')).toBeUndefined();
    expect(await authenticator.authenticate('alpha', 'two')).toBeDefined();
    await removeUser(path, 'alpha');
    expect(await authenticator.authenticate('alpha', 'two')).toBeUndefined();
  });

  it('nobody is authenticated while the file is damaged or missing', async () => {
    await addUser(path, 'alpha', 'one');
    const authenticator = createAuthenticator(path);
    await authenticator.check();
    await writeFile(path, 'alpha:one\n');
    await expect(authenticator.authenticate('alpha', 'one')).rejects.toThrow(PasswordFileFault);
    await rm(path);
    await expect(authenticator.authenticate('alpha', 'one')).rejects.toThrow('ENOENT');
    await expect(authenticator.check()).rejects.toThrow('ENOENT');
  });
});
