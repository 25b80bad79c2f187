/**
 * Two nodes as programs that use the library, one that submits many items and one that runs them, and the resources
 * that both hold meanwhile: memory, handles, timers, listeners, children. They are ended by their pids.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { journalPath } from '../../src/journal/journal-place.js';
import { createLevelJournal } from '../../src/journal/level-journal.js';
import type { Scene } from './programs.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url));

/** The resources of a program at one time. `kept` is the number of items that it knows, settled ones included. */
export interface Mark {
  readonly settled: number;
  readonly kept: number;
  readonly rss_kib: number;
  readonly heap_kib: number;
  readonly handles: number;
  readonly timers: number;
  readonly listeners: number;
  readonly children: number;
  readonly warnings: number;
}

/** The outcome of a run. */
export interface Outcome {
  /** At the end of each tenth of the items. */
  readonly owner: readonly Mark[];
  readonly receiver: readonly Mark[];
  readonly phases: Readonly<Record<string, number>>;
  /** Items that ended more than once. */
  readonly again: number;
  /** A file for each item that was started, with a line for each start. */
  readonly starts: string;
}

/** The two nodes, alpha and beta. */
export interface Pair {
  readonly ownerDir: string;
  readonly receiverDir: string;
  /** Submits items, `wave` at a time, and resolves when all have ended. */
  submit(items: number, wave: number): Promise<Outcome>;
  /** Ends both and waits until they are gone. */
  end(): Promise<void>;
}

/** Starts the receiver; the owner starts at `submit`. */
export async function openPair(scene: Scene): Promise<Pair> {
  const [ownerDir, receiverDir] = [await scene.directory(), await scene.directory()];
  const starts = join(ownerDir, 'starts');
  const receiver = run('hold-node.mjs', [scene.broker, receiverDir]);
  const children = [receiver.child];
  await receiver.lines.next();

  async function submit(items: number, wave: number): Promise<Outcome> {
    await mkdir(starts);
    const owner = run('submit-many.mjs', [scene.broker, ownerDir, String(items), String(wave)]);
    children.push(owner.child);
    const marks = { owner: [] as Mark[], receiver: [] as Mark[] };
    for await (const line of owner.lines) {
      const told = JSON.parse(line) as Mark | Pick<Outcome, 'phases' | 'again'>;
      if ('phases' in told) return { ...marks, ...told, starts };
      marks.owner.push(told);
      receiver.child.stdin?.write('\n');
      const held = JSON.parse(String((await receiver.lines.next()).value)) as Mark;
      marks.receiver.push({ ...held, settled: told.settled, kept: 0 });
    }
    throw new Error('the owner ended before its items');
  }

  return {
    ownerDir,
    receiverDir,
    submit,
    end: async () => {
      for (const child of children.splice(0).toReversed()) await end(child);
    },
  };
}

interface Program {
  readonly child: ChildProcess;
  readonly lines: AsyncIterableIterator<string>;
}

function run(program: string, args: readonly string[]): Program {
  const child = spawn(process.execPath, ['--expose-gc', join(FIXTURES, program), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

/** The keys of a node's journal; the node must have ended. */
export async function listJournal(stateDir: string): Promise<readonly string[]> {
  const journal = await createLevelJournal({ directory: journalPath(stateDir), sync: false });
  const keys = await new Promise<readonly string[]>((resolve, reject) => {
    journal.load((error, entries) => (error === undefined ? resolve(entries.map(({ key }) => key)) : reject(error)));
  });
  await new Promise<void>((resolve) => journal.close(resolve));
  return keys;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}
