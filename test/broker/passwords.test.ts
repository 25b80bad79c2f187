import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addUser, createDoor, readPasswordFile, removeUser } from '../../broker/password-file.js';
import {
  formatPasswords,
  hashPassword,
  parsePasswords,
  PasswordFileFault,
  verifyPassword,
} from '../../broker/passwords.js';

const HASH = `scrypt$16384$8$1$${'s'.repeat(22)}$${'k'.repeat(43)}`;

describe('a password', () => {
  it('verifies against its own hash and no other', async () => {
    const hash = await hashPassword('correct horse');
    expect(hash).toMatch(/^scrypt\$16384\$8\$1\$/);
    expect(await verifyPassword('correct horse', hash)).toBe(true);
    expect(await verifyPassword('correct horsf', hash)).toBe(false);
    expect(await verifyPassword('', hash)).toBe(false);
  });

  it('never hashes to the same text twice', async () => {
    expect(await hashPassword('x')).not.toBe(await hashPassword('x'));
  });

  it('verifies against nothing that is not a hash', async () => {
    expect(await verifyPassword('x', 'x')).toBe(false);
    expect(await verifyPassword('', '')).toBe(false);
  });
});

describe('the text of a password file', () => {
  it('reads back as it was written', () => {
    const records = [
      { user: 'alpha', hash: HASH, isOperator: false },
      { user: 'deck', hash: HASH, isOperator: true },
    ];
    expect(parsePasswords(formatPasswords(records))).toEqual(records);
  });

  it('passes over comments, blank lines and the line ends of other systems', () => {
    expect(parsePasswords(`# who\r\n\r\nalpha:${HASH}\r\n`)).toEqual([
      { user: 'alpha', hash: HASH, isOperator: false },
    ]);
  });

  it.each([
    ['a password in the clear', 'alpha:secret', 'the hash must be'],
    ['a user that cannot be a node', `Alpha Beta:${HASH}`, 'the user must match'],
    ['a role that there is not', `alpha:${HASH}:admin`, 'after the hash only ":operator"'],
    ['a hash too costly to check', `alpha:${HASH.replace('16384', '9999999')}`, 'the hash must be'],
  ])('refuses %s and names the line, not the secret', (_title, line, reason) => {
    const parse = (): unknown => parsePasswords(`# first\n${line}\n`);
    expect(parse).toThrow(PasswordFileFault);
    expect(parse).toThrow(`line 2: ${reason}`);
    expect(parse).not.toThrow('secret');
  });

  it('is read or refused, whatever it is, and never breaks otherwise', () => {
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

  it('is made for its first user, readable by its owner only, and leaves no other file', async () => {
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

  it('replaces the password of a user it has', async () => {
    await addUser(path, 'alpha', 'one');
    await addUser(path, 'alpha', 'two');
    const records = await readPasswordFile(path);
    expect(records).toHaveLength(1);
    expect(await verifyPassword('two', records[0]?.hash ?? '')).toBe(true);
  });

  it('loses a user that is removed, and says when there was none', async () => {
    await addUser(path, 'alpha', 'one');
    expect(await removeUser(path, 'beta')).toBe(false);
    expect(await removeUser(path, 'alpha')).toBe(true);
    expect(await readPasswordFile(path)).toEqual([]);
  });

  it('takes no user whose name cannot be a node', async () => {
    await expect(addUser(path, 'a:b', 'x')).rejects.toThrow(PasswordFileFault);
    expect(await readPasswordFile(path)).toEqual([]);
  });

  it('keeps a door that admits by password, and tells operators', async () => {
    await addUser(path, 'alpha', 'one');
    await addUser(path, 'deck', 'two', true);
    const door = createDoor(path);
    expect(await door.admit('alpha', 'one')).toEqual({ name: 'alpha', isOperator: false });
    expect(await door.admit('alpha', 'one')).toEqual({ name: 'alpha', isOperator: false });
    expect(await door.admit('deck', 'two')).toEqual({ name: 'deck', isOperator: true });
    expect(await door.admit('alpha', 'two')).toBeUndefined();
    expect(await door.admit('nobody', 'one')).toBeUndefined();
  });

  it('keeps a door that sees each change of the file at once', async () => {
    await addUser(path, 'alpha', 'one');
    const door = createDoor(path);
    expect(await door.admit('alpha', 'one')).toBeDefined();
    await addUser(path, 'alpha', 'two');
    expect(await door.admit('alpha', 'one')).toBeUndefined();
    expect(await door.admit('alpha', 'two')).toBeDefined();
    await removeUser(path, 'alpha');
    expect(await door.admit('alpha', 'two')).toBeUndefined();
  });

  it('keeps a door that admits nobody when the file is broken or gone', async () => {
    await addUser(path, 'alpha', 'one');
    const door = createDoor(path);
    await door.check();
    await writeFile(path, 'alpha:one\n');
    await expect(door.admit('alpha', 'one')).rejects.toThrow(PasswordFileFault);
    await rm(path);
    await expect(door.admit('alpha', 'one')).rejects.toThrow('ENOENT');
    await expect(door.check()).rejects.toThrow('ENOENT');
  });
});
