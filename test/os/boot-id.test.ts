/** The name of the machine's present run: the kernel's own, as long as this process lives. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readBootId } from '../../src/os/boot-id.js';
import { tryReadText } from '../../src/os/try-read.js';

const FILE = '/proc/sys/kernel/random/boot_id';

it.skipIf(tryReadText(FILE) === undefined)('is the kernel’s, and stays', () => {
  expect(readBootId()).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(`${readBootId()}\n`).toBe(readFileSync(FILE, 'utf8'));
});

it.skipIf(tryReadText(FILE) !== undefined)('is empty where nobody tells it', () => {
  expect(readBootId()).toBe('');
});
