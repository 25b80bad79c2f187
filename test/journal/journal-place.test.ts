import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JournalHeld } from '../../src/journal/journal-held.js';
import { journalPath, migrateJournal } from '../../src/journal/journal-place.js';
import { createLevelJournal } from '../../src/journal/level-journal.js';
import { StateFormatError } from '../../src/journal/state-format.js';
import { close, load, write } from '../conformance/journal.js';
import { requirement } from '../support/requirements.js';

const canMount = requirement(
  'root on Linux to mount a disk',
  spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' }).status === 0,
  'run the tests as root, in a container with CAP_SYS_ADMIN',
);

describe('the journal directory', () => {
  let stateDir: string;
  let former: string;
  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), 'tritmesh-place-'));
    former = join(stateDir, 'journal');
  });
  afterEach(() => {
    rmSync(stateDir, { recursive: true, force: true });
  });

  /** Opens the journal as versions up to eb17494 do. */
  const openFormer = (): ReturnType<typeof createLevelJournal> =>
    createLevelJournal({ directory: former, sync: false });
  const keepFormer = async (value: string): Promise<void> => {
    const journal = await openFormer();
    await write(journal, [{ key: 'item/one', value }]);
    await close(journal);
  };
  const readAll = async (directory: string): Promise<unknown> => {
    const journal = await createLevelJournal({ directory, sync: false });
    const { entries } = await load(journal);
    await close(journal);
    return entries;
  };

  it('a new state directory gets a new journal, and an earlier version refuses to create a second one', async () => {
    const directory = await migrateJournal(stateDir);
    expect(directory).toBe(journalPath(stateDir));
    await expect(openFormer()).rejects.toThrow(
      /^cannot open the journal in .*: .*a newer tritmesh keeps its journal in journal-2: start that one here/,
    );
    expect(existsSync(directory)).toBe(false);
    expect(await migrateJournal(stateDir)).toBe(directory);
  });

  it('the journal of an earlier version is migrated whole, and that version then refuses to start', async () => {
    await keepFormer('kept');
    const directory = await migrateJournal(stateDir);
    expect(await readAll(directory)).toEqual([{ key: 'item/one', value: 'kept' }]);
    await expect(openFormer()).rejects.toThrow('a newer tritmesh keeps its journal');
    expect(await migrateJournal(stateDir)).toBe(directory);
    expect(await readAll(directory)).toEqual([{ key: 'item/one', value: 'kept' }]);
  });

  it('the journal is not migrated while a node of that version is running', async () => {
    const running = await openFormer();
    await expect(migrateJournal(stateDir)).rejects.toBeInstanceOf(JournalHeld);
    expect(existsSync(journalPath(stateDir))).toBe(false);
    await close(running);
    await migrateJournal(stateDir);
  });

  it('a migration that was interrupted between its two steps is completed', async () => {
    await keepFormer('kept');
    const directory = await migrateJournal(stateDir);
    rmSync(former, { recursive: true });
    await migrateJournal(stateDir);
    await expect(openFormer()).rejects.toThrow('a newer tritmesh keeps its journal');
    // As if killed before the notice was written.
    rmSync(join(former, 'CURRENT'));
    await migrateJournal(stateDir);
    await expect(openFormer()).rejects.toThrow('a newer tritmesh keeps its journal');
    expect(await readAll(directory)).toEqual([{ key: 'item/one', value: 'kept' }]);
  });

  it('two journals are refused for a person to choose, and neither is touched', async () => {
    await keepFormer('first');
    const directory = await migrateJournal(stateDir);
    rmSync(former, { recursive: true });
    await keepFormer('second');
    const refused = await migrateJournal(stateDir).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StateFormatError);
    expect((refused as Error).message).toContain('move aside the one whose work should not continue');
    expect(await readAll(former)).toEqual([{ key: 'item/one', value: 'second' }]);
    expect(await readAll(directory)).toEqual([{ key: 'item/one', value: 'first' }]);
  });

  it('a new journal is never created next to a damaged one', async () => {
    await keepFormer('kept');
    writeFileSync(join(former, 'CURRENT'), '');
    await expect(migrateJournal(stateDir)).rejects.toThrow(`cannot open the journal in ${former}`);
    expect(readFileSync(join(former, 'CURRENT'), 'utf8')).toBe('');
    expect(readdirSync(stateDir)).toEqual(['journal']);
  });

  it.skipIf(!canMount)('a journal on a separate file system stays there and keeps being used', async () => {
    mkdirSync(former);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', former]);
    try {
      await keepFormer('kept');
      for (let boot = 0; boot < 2; boot += 1) expect(await migrateJournal(stateDir)).toBe(former);
      expect(await readAll(former)).toEqual([{ key: 'item/one', value: 'kept' }]);
    } finally {
      execFileSync('umount', ['--lazy', former]);
    }
  });

  it('a file in the place of the directory is reported', async () => {
    writeFileSync(former, '');
    await expect(migrateJournal(stateDir)).rejects.toThrow('EEXIST');
    rmSync(former);
    mkdirSync(former);
    expect(await migrateJournal(stateDir)).toBe(journalPath(stateDir));
  });
});
