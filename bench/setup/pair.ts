/**
 * Two nodes: an overloaded owner in this process (PLUS), and an idle receiver in another one (MINUS). Everything that
 * is submitted to the owner therefore runs on the receiver.
 */
import { join } from 'node:path';
import { filter, firstValueFrom, map, type Observable } from 'rxjs';
import { composeNode } from '../../src/compose/node.js';
import { loadConfig } from '../../src/config/load-config.js';
import type { RunningNode } from '../../src/node/running-node.js';
import type { Item } from '../../src/protocol/item.js';
import { BASE, type BenchBroker } from './brokers.js';
import { startProgram, TRITMESH } from './program.js';
import type { Scratch } from './scratch.js';

/** The two nodes. */
export interface Pair {
  /** The flags that make a `tritmesh` command use the owner. */
  readonly flags: readonly string[];
  /** The ids of items as they are settled. */
  readonly settled$: Observable<string>;
  /** Submits a job with this command; resolves when it is in the owner's journal. */
  submit(id: string, argv: readonly string[]): Promise<void>;
}

/** Jobs that the receiver runs at the same time. */
export const SLOTS = 4;
const OWNER = 'owner';
const RECEIVER = 'receiver';

/** Starts both; resolves when the owner ranks the receiver first. */
export async function startPair(scratch: Scratch, broker: BenchBroker): Promise<Pair> {
  await startReceiver(scratch, broker);
  const owner = await startOwner(scratch, broker);
  await firstValueFrom(owner.receivers$.pipe(filter(({ ranked }) => ranked[0] === RECEIVER)));
  return {
    flags: flagsOf(scratch, broker, OWNER),
    settled$: watchSettled(owner),
    submit: (id, argv) =>
      new Promise((resolve, reject) => {
        owner.submit(describeItem(id, argv), (error) => (error === undefined ? resolve() : reject(error)));
      }),
  };
}

async function startReceiver(scratch: Scratch, broker: BenchBroker): Promise<void> {
  const settings = ['--sense', 'fixed:0.1', '--slots', String(SLOTS), '--transfer-listen', '127.0.0.1'];
  const argv = [process.execPath, TRITMESH, 'node', ...flagsOf(scratch, broker, RECEIVER), ...settings];
  await startProgram(scratch, argv, /connected to the broker/);
}

function flagsOf(scratch: Scratch, broker: BenchBroker, id: string): string[] {
  return ['--broker', broker.url, '--base', BASE, '--id', id, '--state-dir', join(scratch.directory, id)];
}

async function startOwner(scratch: Scratch, broker: BenchBroker): Promise<RunningNode> {
  const loaded = await loadConfig({
    flags: {
      broker: broker.url,
      base: BASE,
      id: OWNER,
      'state-dir': join(scratch.directory, OWNER),
      sense: 'fixed:0.9',
      'transfer-listen': '127.0.0.1',
    },
    env: {},
  });
  const { node, stop } = await composeNode(loaded);
  scratch.defer(stop);
  return node;
}

/** Uses the node's log, since `items$` is batched for 100 ms. */
function watchSettled(owner: RunningNode): Observable<string> {
  return owner.notes$.pipe(
    map(({ text }) => /^item (\S+) \(.*\) (done|failed|cancelled|lost)/.exec(text)),
    filter((match) => match !== null),
    map(([text, item = '', phase]) => {
      if (phase !== 'done') throw new Error(text);
      return item;
    }),
  );
}

/** A job that takes a slot and, unless it says more, almost no processor time. */
export function describeItem(id: string, argv: readonly string[], cpus = 0.01): Item {
  return {
    id: id,
    name: argv[0] ?? '',
    command: { argv, env: {}, outputs: [], migrate: 'never' },
    need: { cpus, labels: [], abilities: [] },
    inputs: [],
    place: 'any',
    retry: 'rerun',
    attempts: 3,
    deferred: false,
    submitted_at: '',
  };
}
