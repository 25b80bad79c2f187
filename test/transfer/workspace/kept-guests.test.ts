/** The files of a guest that a person was told to fetch: no sweep removes them, also while their mark cannot be written. */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Needed, Outcome, Swept, Workspace } from '../../../src/transfer/transfer.js';
import { createWorkspace } from '../../../src/transfer/workspace/workspace.js';
import { temporaryDirectories } from '../../support/temporary-directory.js';
import { ended, succeeded, writeFiles } from '../../support/transfer-steps.js';

/** What the journal knows: nothing. */
const NOTHING_NEEDED: Needed = { item: () => false, guest: () => false };
const newDirectory = temporaryDirectories();
let stateDir: string;
let workspace: Workspace;
beforeEach(() => {
  stateDir = newDirectory();
  workspace = createWorkspace(stateDir);
  writeFiles(stateDir, { 'guests/alpha/item-1/1/work/result': 'x' });
});

function keep(): Promise<Outcome<void>> {
  return ended((done) => workspace.keepGuest?.('alpha', 'item-1', 1, done));
}

function sweep(by: Workspace = workspace): Promise<Swept> {
  return succeeded((done) => by.sweep?.(NOTHING_NEEDED, false, done));
}

describe('a kept guest', () => {
  const directory = (): string => join(stateDir, 'guests/alpha/item-1/1');

  it('is marked, so that a later node keeps it, too', async () => {
    expect(await keep()).toEqual({ ok: true, value: undefined });
    expect(await sweep(createWorkspace(stateDir))).toMatchObject({ paths: [], kept: 1 });
    expect(existsSync(join(directory(), 'work/result'))).toBe(true);
  });

  it('is kept from the call on, before its mark is written', async () => {
    const kept = keep();
    expect(await sweep()).toMatchObject({ paths: [] });
    expect(await kept).toMatchObject({ ok: true });
    expect(existsSync(join(directory(), 'work/result'))).toBe(true);
  });

  it('that cannot be marked is reported and kept nevertheless, and marked as soon as that works', async () => {
    // No file can be written below a file.
    renameSync(directory(), join(stateDir, 'aside'));
    writeFileSync(directory(), '');
    expect(await keep()).toMatchObject({ ok: false, reason: expect.stringContaining('ENOTDIR') });
    expect(await sweep()).toMatchObject({ paths: [], kept: 0 });
    renameSync(directory(), join(stateDir, 'file'));
    renameSync(join(stateDir, 'aside'), directory());
    expect(await sweep()).toMatchObject({ paths: [], kept: 1 });
    expect(existsSync(join(directory(), 'kept'))).toBe(true);
  });

  it('without a directory has nothing to keep', async () => {
    renameSync(directory(), join(stateDir, 'aside'));
    expect(await keep()).toEqual({ ok: true, value: undefined });
  });
});
