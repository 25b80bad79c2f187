import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Level } from 'level';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JournalHeld } from '../../src/journal/journal-held.js';
import type { Journal } from '../../src/journal/journal.js';
import { createLevelJournal } from '../../src/journal/level-journal.js';
import { close, load, testJournal, write } from '../conformance/journal.js';
import { requirement } from '../support/requirements.js';

const WRITER = fileURLToPath(new URL('../fixtures/journal-writer.mjs', import.meta.url));
const hasPrlimit =
  process.platform === 'linux' && spawnSync('prlimit', ['--version'], { stdio: 'ignore' }).status === 0;

testJournal('level', async () => {
  const directory = await makeDirectory();
  return {
    open: () => createLevelJournal({ directory, sync: false }),
    spoil: async (key, text) => {
      const database = new Level(directory);
      await database.put(key, text);
      await database.close();
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
});

describe('the journal on LevelDB', () => {
  let directory: string;
  let writer: Writer | undefined;
  beforeEach(async () => {
    directory = await makeDirectory();
  });
  afterEach(async () => {
    await writer?.kill();
    writer = undefined;
    await rm(directory, { recursive: true, force: true });
  });

  it('creates its directory for its owner only', async () => {
    const inner = join(directory, 'state', 'journal');
    await close(await createLevelJournal({ directory: inner, sync: false }));
    expect((await stat(inner)).mode & 0o777).toBe(0o700);
  });

  it('rejects with JournalHeld and the directory while another journal has it open, and opens once that one is closed', async () => {
    const first = await createLevelJournal({ directory, sync: false });
    const refused = await createLevelJournal({ directory, sync: false }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(JournalHeld);
    expect(refused).toMatchObject({ name: 'JournalHeld', directory, message: expect.stringContaining(directory) });
    await close(first);
    await close(await createLevelJournal({ directory, sync: false }));
  });

  it('rejects with JournalHeld while another process holds it, and opens once that process is killed', async () => {
    writer = await startWriter(['node', WRITER, directory, 'async', '100']);
    await writer.saw(1);
    await expect(createLevelJournal({ directory, sync: false })).rejects.toBeInstanceOf(JournalHeld);
    await writer.kill();
    await close(await createLevelJournal({ directory, sync: false }));
  });

  it('names the directory when it cannot be opened', async () => {
    const file = join(directory, 'LOCK');
    await rm(directory, { recursive: true });
    await close(await createLevelJournal({ directory, sync: false }));
    await rm(file);
    // A directory in the place of the lock file.
    await close(await createLevelJournal({ directory: file, sync: false }));
    await expect(createLevelJournal({ directory, sync: false })).rejects.toThrow(
      `cannot open the journal in ${directory}`,
    );
  });

  it('syncs when asked to', async () => {
    const journal = await createLevelJournal({ directory, sync: true });
    await write(journal, [{ key: 'item/a', value: 1 }]);
    await close(journal);
    const next = await createLevelJournal({ directory, sync: false });
    expect((await load(next)).entries).toEqual([{ key: 'item/a', value: 1 }]);
    await close(next);
  });

  for (const [mode, count] of [
    ['async', 300],
    ['async', 5000],
    ['sync', 300],
  ] as const) {
    it(`loses nothing that was reported as done when killed after ${count} ${mode} writes`, async () => {
      writer = await startWriter(['node', WRITER, directory, mode, '2000']);
      await writer.saw(count);
      await writer.kill();
      expect(writer.errors).toEqual([]);
      const journal = await createLevelJournal({ directory, sync: false });
      await expectAll(journal, writer.done);
      await close(journal);
    });
  }

  const canLimit = requirement('prlimit', hasPrlimit, 'Linux with util-linux');
  it.skipIf(!canLimit)(
    'reports a write that finds no disk space, continues once there is some, and loses nothing',
    async () => {
      // 600 blocks of 1 KiB: the limit cuts a record in the middle, like a full disk.
      const limited = 'ulimit -S -f 600; exec "$@"';
      writer = await startWriter(['bash', '-c', limited, 'bash', 'node', WRITER, directory, 'async', '5000']);
      await writer.sawError();
      const before = writer.done.length;
      spawnSync('prlimit', ['--fsize=unlimited', '--pid', String(writer.pid)]);
      writer.go();
      await writer.saw(before + 500);
      await writer.kill();
      expect(writer.errors[0]).toMatch(/File too large/);
      const journal = await createLevelJournal({ directory, sync: false });
      await expectAll(journal, writer.done);
      await close(journal);
    },
  );
});

/** Expects every number that was reported as done; there may be more. */
async function expectAll(journal: Journal, done: readonly number[]): Promise<void> {
  const { entries, faults } = await load(journal);
  expect(faults).toEqual([]);
  const keys = new Set(entries.map(({ key }) => key));
  expect(done.filter((number) => !keys.has(`item/${number}`))).toEqual([]);
}

function makeDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'tritmesh-journal-'));
}

interface Writer {
  readonly pid: number;
  readonly done: readonly number[];
  readonly errors: readonly string[];
  saw(count: number): Promise<void>;
  sawError(): Promise<void>;
  go(): void;
  kill(): Promise<void>;
}

async function startWriter([program = '', ...args]: readonly string[]): Promise<Writer> {
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(
    program === 'node' ? process.execPath : program,
    args,
    {
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  await once(child, 'spawn');
  return watchWriter(child);
}

function watchWriter(child: ChildProcessByStdio<Writable, Readable, Readable>): Writer {
  const done: number[] = [];
  const errors: string[] = [];
  let stderr = '';
  const closed = once(child, 'close');
  const lines = createInterface(child.stdout);
  lines.on('line', (line) => (line.startsWith('error ') ? errors.push(line.slice(6)) : done.push(Number(line))));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  // Killing the writer breaks the pipe.
  child.stdin.on('error', () => undefined);

  function waitUntil(isThere: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => (isThere() ? resolve() : undefined);
      lines.on('line', check);
      void closed.then(() => reject(new Error(`the writer ended: ${stderr}`)));
      check();
    });
  }

  return {
    pid: child.pid ?? 0,
    done,
    errors,
    saw: (count) => waitUntil(() => done.length >= count),
    sawError: () => waitUntil(() => errors.length > 0),
    go: () => child.stdin.write('go\n'),
    kill: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
