import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JournalHeld } from '../../src/journal/journal-held.js';
import { journalPath, takeUpJournal } from '../../src/journal/journal-place.js';
import { createLevelJournal } from '../../src/journal/level-journal.js';
import { StateFormatError } from '../../src/journal/state-format.js';
import { close, load, write } from '../conformance/journal.js';
import { requirement } from '../requirements.js';

const canMount = requirement(
  'root on Linux to mount a disk',
  spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' }).status === 0,
  'run the tests as root, in a container with CAP_SYS_ADMIN',
);

describe('the place of the journal', () => {
  let stateDir: string;
  let former: string;
  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), 'tritmesh-place-'));
    former = join(stateDir, 'journal');
  });
  afterEach(() => {
    rmSync(stateDir, { recursive: true, force: true });
  });

  /** As versions up to eb17494 open it. */
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

  it('is new in a new directory, and an earlier version refuses to begin another', async () => {
    const directory = await takeUpJournal(stateDir);
    expect(directory).toBe(journalPath(stateDir));
    await expect(openFormer()).rejects.toThrow(
      /^cannot open the journal in .*: .*a newer tritmesh keeps its journal in journal-2: start that one here/,
    );
    expect(existsSync(directory)).toBe(false);
    expect(await takeUpJournal(stateDir)).toBe(directory);
  });

  it('is taken up with all that an earlier version left, which then refuses', async () => {
    await keepFormer('kept');
    const directory = await takeUpJournal(stateDir);
    expect(await readAll(directory)).toEqual([{ key: 'item/one', value: 'kept' }]);
    await expect(openFormer()).rejects.toThrow('a newer tritmesh keeps its journal');
    expect(await takeUpJournal(stateDir)).toBe(directory);
    expect(await readAll(directory)).toEqual([{ key: 'item/one', value: 'kept' }]);
  });

  it('is not taken from a node that runs', async () => {
    const running = await openFormer();
    await expect(takeUpJournal(stateDir)).rejects.toBeInstanceOf(JournalHeld);
    expect(existsSync(journalPath(stateDir))).toBe(false);
    await close(running);
    await takeUpJournal(stateDir);
  });

  it('is taken up where that was cut off between its two steps', async () => {
    await keepFormer('kept');
    const directory = await takeUpJournal(stateDir);
    rmSync(former, { recursive: true });
    await takeUpJournal(stateDir);
    await expect(openFormer()).rejects.toThrow('a newer tritmesh keeps its journal');
    // Killed before LevelDB's own file was in it.
    rmSync(join(former, 'CURRENT'));
    await takeUpJournal(stateDir);
    await expect(openFormer()).rejects.toThrow('a newer tritmesh keeps its journal');
    expect(await readAll(directory)).toEqual([{ key: 'item/one', value: 'kept' }]);
  });

  it('is for people to choose when both hold one, and neither is touched', async () => {
    await keepFormer('first');
    const directory = await takeUpJournal(stateDir);
    rmSync(former, { recursive: true });
    await keepFormer('second');
    const refused = await takeUpJournal(stateDir).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StateFormatError);
    expect((refused as Error).message).toContain('move away the one whose work is not to go on');
    expect(await readAll(former)).toEqual([{ key: 'item/one', value: 'second' }]);
    expect(await readAll(directory)).toEqual([{ key: 'item/one', value: 'first' }]);
  });

  it('is never begun anew beside one that is damaged', async () => {
    await keepFormer('kept');
    writeFileSync(join(former, 'CURRENT'), '');
    await expect(takeUpJournal(stateDir)).rejects.toThrow(`cannot open the journal in ${former}`);
    expect(readFileSync(join(former, 'CURRENT'), 'utf8')).toBe('');
    expect(readdirSync(stateDir)).toEqual(['journal']);
  });

  it.skipIf(!canMount)('stays where a file system of its own is mounted, and goes on there', async () => {
    mkdirSync(former);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', former]);
    try {
      await keepFormer('kept');
      for (let life = 0; life < 2; life += 1) expect(await takeUpJournal(stateDir)).toBe(former);
      expect(await readAll(former)).toEqual([{ key: 'item/one', value: 'kept' }]);
    } finally {
      execFileSync('umount', ['--lazy', former]);
    }
  });

  it('tells of a file in its way', async () => {
    writeFileSync(former, '');
    await expect(takeUpJournal(stateDir)).rejects.toThrow('EEXIST');
    rmSync(former);
    mkdirSync(former);
    expect(await takeUpJournal(stateDir)).toBe(journalPath(stateDir));
  });
});
