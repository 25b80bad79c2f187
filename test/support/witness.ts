/**
 * A job that checks itself: it records each start and end of its command, notices when it runs twice at once, and
 * creates an output that can be compared byte by byte. It is submitted by a request on the bus, without a command.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadSigner } from '../../src/compose/client.js';
import { sealMessage } from '../../src/protocol/envelope.js';
import { requirement } from './requirements.js';
import { fields, isStatus, type BusListener, type Heard, type NodeProcess, type Scene } from './programs.js';

/** One submitted job. */
export interface Witness {
  readonly item: string;
  readonly retry: 'once' | 'rerun';
  /**
   * Submits it again if the owner has not answered yet, as a client does. An owner that has it does not take it twice.
   */
  askAgain(): Promise<void>;
  /** Resolves with the fields of the item's last status. */
  settled(): Promise<Record<string, unknown>>;
  /** What its command has recorded so far: `start`, `end`, and `overlap` if another start of it was still running. */
  record(): Promise<readonly string[]>;
  /** Lets a job with `waits` end. */
  letGo(): Promise<void>;
  /** The output that is at the owner, and what it must be. */
  output(): Promise<{ readonly found: Buffer; readonly made: Buffer }>;
}

/** Settings of a job. */
export interface WitnessOptions {
  readonly retry: 'once' | 'rerun';
  /** It runs until {@link Witness.letGo} is called; otherwise only briefly. */
  readonly waits?: boolean;
  /** Size of its input and output, bytes. */
  readonly bytes?: number;
  /** Shell code that it runs in its directory before and after it waits. */
  readonly first?: string;
  readonly after?: string;
  /** The directory for its output. */
  readonly destination?: string;
  /** Its wall-clock limit, ms. */
  readonly wallMs?: number;
}

/** Whether flock(1), which detects overlaps, is installed. */
export function hasFlock(): boolean {
  const folders = (process.env['PATH'] ?? '').split(':');
  const isThere = folders.some((folder) => existsSync(join(folder, 'flock')));
  return requirement('flock', isThere, 'apt-get install util-linux');
}

const INPUT_BYTES = 200_000;

/** Submits a job at `owner`. Resolves when the owner has answered, or at once if `answered` is false. */
export async function submitWitness(
  scene: Scene,
  ear: BusListener,
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

/** The lock belongs to the open file: it is released when the last process of a run ends, however it ends. */
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

/** Sends a node a run request that is signed with its own key. */
export async function askRun(ear: BusListener, owner: NodeProcess, item: object): Promise<void> {
  const signer = await loadSigner(owner.stateDir, owner.id);
  if (signer === undefined) throw new Error(`${owner.id} has no key`);
  const topic = `tritmesh/node/${owner.id}/request/run`;
  const stamp = { ts: new Date().toISOString(), boot: 0, seq: 1 };
  const transaction = (item as { readonly item: string }).item;
  await ear.publish(topic, sealMessage(topic, { from: owner.id, transaction, item }, stamp, signer.identity.sign));
}
