/** Files that a process took along come back to the paths that they were taken from, and nothing else is ever written. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { collectOutputs } from '../../../src/transfer/tree/collect-outputs.js';
import { recordWriteBack, writeBack } from '../../../src/transfer/workspace/write-back.js';
import { temporaryDirectories } from '../../support/temporary-directory.js';

const makeDirectory = temporaryDirectories();
let root: string;
let guest: string;
let item: string;
let held: string;

const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};
const lend = async (): Promise<void> => recordWriteBack(guest, item, (await collectOutputs(guest, [], true)).manifest);

beforeEach(() => {
  root = makeDirectory();
  [guest, item, held] = [join(root, 'guest'), join(root, 'item'), join(root, 'home/held')];
  mkdirSync(item);
  write(join(root, 'own/out'), 'old');
  chmodSync(join(root, 'own/out'), 0o640);
  write(join(guest, 'image/x'), 'x');
  write(join(guest, 'foreign'), '7 8\n');
  write(join(guest, 'carried', root, 'own/out'), 'old');
});

it('what changed is put back with its mode, and only what was taken from there', async () => {
  await lend();
  write(join(held, root, 'own/out'), 'old and new');
  write(join(held, root, 'own/other'), 'planted');
  await writeBack(held, item);
  expect(readFileSync(join(root, 'own/out'), 'utf8')).toBe('old and new');
  expect(statSync(join(root, 'own/out')).mode & 0o777).toBe(0o640);
  expect(existsSync(join(root, 'own/other'))).toBe(false);
});

it('what did not change is left as it became here', async () => {
  await lend();
  write(join(root, 'own/out'), 'changed here');
  write(join(held, root, 'own/out'), 'old');
  await writeBack(held, item);
  expect(readFileSync(join(root, 'own/out'), 'utf8')).toBe('changed here');
});

it('nothing is written for a guest that is no process of this machine', async () => {
  renameSync(join(guest, 'foreign'), join(guest, 'other'));
  await lend();
  write(join(held, root, 'own/out'), 'new');
  await writeBack(held, item);
  expect(readFileSync(join(root, 'own/out'), 'utf8')).toBe('old');
});

it('a link that was laid meanwhile leads nowhere', async () => {
  await lend();
  write(join(held, root, 'own/out'), 'new');
  renameSync(join(root, 'own'), join(root, 'moved'));
  symlinkSync(join(root, 'moved'), join(root, 'own'));
  await expect(writeBack(held, item)).rejects.toThrow('is not the directory any more');
  expect(readFileSync(join(root, 'moved/out'), 'utf8')).toBe('old');
});

it('held files come home with the outputs, and beside an image those that it does not carry anew', async () => {
  write(join(guest, 'held', root, 'own/out'), 'older');
  write(join(guest, 'held', root, 'own/closed'), 'closed');
  const paths = async (everything: boolean): Promise<readonly string[]> =>
    (await collectOutputs(guest, [], everything)).manifest.files.map(({ path }) => path).toSorted();
  expect(await paths(false)).toEqual([`held${root}/own/closed`, `held${root}/own/out`]);
  expect(await paths(true)).toEqual([`carried${root}/own/out`, `held${root}/own/closed`, 'image/x']);
});
