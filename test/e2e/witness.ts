/**
 * A job that is its own witness: it records each start and end of its command, notices when it runs twice at once, and makes
 * an output that can be compared byte by byte. Submitted over the bus as any member may, without a program of its own.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadSigner } from '../../src/compose-client.js';
import { sealMessage } from '../../src/protocol/envelope.js';
import { requirement } from '../requirements.js';
import { fields, isStatus, type Ear, type Heard, type NodeProcess, type Scene } from './programs.js';

/** One submitted job. */
export interface Witness {
  readonly item: string;
  readonly retry: 'once' | 'rerun';
  /** Asks its owner again if that has not answered yet, as a client does; an owner that has it takes it no second time. */
  askAgain(): Promise<void>;
  /** Resolves with the fields of the item's last status. */
  settled(): Promise<Record<string, unknown>>;
  /** What its command wrote so far: `start`, `end`, and `overlap` when another start of it was still alive. */
  record(): Promise<readonly string[]>;
  /** The job waits for this, when it was made to wait. */
  letGo(): Promise<void>;
  /** The file that came home, and what it must be. */
  output(): Promise<{ readonly found: Buffer; readonly made: Buffer }>;
}

/** How a job is to be. */
export interface WitnessOptions {
  readonly retry: 'once' | 'rerun';
  /** It runs until it is let go; else for a moment. */
  readonly waits?: boolean;
  /** Size of its input and output, bytes. */
  readonly bytes?: number;
  /** Shell text that it runs in its directory before it waits, and what it runs after that. */
  readonly first?: string;
  readonly after?: string;
  /** Directory that its output is to be put in. */
  readonly destination?: string;
  /** Its wall-clock limit. */
  readonly wallMs?: number;
}

/** Whether flock(1), which tells the overlaps, is on this machine. */
export function hasFlock(): boolean {
  const folders = (process.env['PATH'] ?? '').split(':');
  const isThere = folders.some((folder) => existsSync(join(folder, 'flock')));
  return requirement('flock', isThere, 'apt-get install util-linux');
}

const INPUT_BYTES = 200_000;

/** Submits a job at `owner` and resolves when the owner has answered, or at once with `answered: false`. */
export async function submitWitness(
  scene: Scene,
  ear: Ear,
  owner: NodeProcess,
  options: WitnessOptions,
  answered = true,
): Promise<Witness> {
  const { retry, bytes = INPUT_BYTES } = options;
  const directory = await scene.directory();
  const destination = options.destination ?? join(directory, 'home');
  const item = `w${randomBytes(8).toString('hex')}`;
  const made = randomBytes(bytes);
  await writeFile(join(directory, 'data'), made);
  await mkdir(destination, { recursive: true });
  const request = {
    item,
    name: 'witness',
    retry,
    inputs: [join(directory, 'data')],
    destination,
    command: {
      argv: ['sh', '-c', script(directory, options)],
      outputs: ['copy'],
      ...(options.wallMs === undefined ? {} : { wall_ms: options.wallMs }),
    },
  };
  const isAnswer = (one: Heard): boolean => one.topic.endsWith('/response/run') && one.text.includes(item);
  await askRun(ear, owner, request);
  if (answered) await ear.next(isAnswer);
  return {
    item,
    retry,
    askAgain: async () => {
      if (ear.heard.some(isAnswer)) return;
      await askRun(ear, owner, request);
      await ear.next(isAnswer);
    },
    settled: async () => fields(await ear.next(isStatus(item, 'done', 'failed', 'lost', 'cancelled'))),
    record: async () => {
      const text = await readFile(join(directory, 'record'), 'utf8').catch(() => '');
      return text.split('\n').filter((line) => line !== '');
    },
    letGo: () => writeFile(join(directory, 'gate'), ''),
    output: async () => ({ found: await readFile(join(destination, 'copy')), made }),
  };
}

/** The lock is the open file's: it goes with the last process of a run, however that ends. */
function script(directory: string, { waits = false, first = ':', after = ':' }: WitnessOptions): string {
  return [
    `exec 9>>${directory}/lock`,
    `flock -n 9 || echo overlap >> ${directory}/record`,
    `echo start >> ${directory}/record`,
    first,
    waits ? `while [ ! -e ${directory}/gate ]; do sleep 0.1; done` : 'sleep 0.3',
    after,
    'cp data copy',
    'echo witness',
    `echo end >> ${directory}/record`,
  ].join('\n');
}

/** Asks a node to run an item, signed by itself. */
export async function askRun(ear: Ear, owner: NodeProcess, item: object): Promise<void> {
  const signer = await loadSigner(owner.stateDir, owner.id);
  if (signer === undefined) throw new Error(`${owner.id} has no key`);
  const topic = `tritmesh/node/${owner.id}/request/run`;
  const stamp = { ts: new Date().toISOString(), boot: 0, seq: 1 };
  const transaction = (item as { readonly item: string }).item;
  await ear.say(topic, sealMessage(topic, { from: owner.id, transaction, item }, stamp, signer.identity.sign));
}
