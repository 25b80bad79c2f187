/**
 * Peers whose client is a library: a driver submits the jobs and measures, a worker runs them. The driver reads
 * `dispatch COUNT` or `burst COUNT` from its stdin and answers with a line of JSON: times in ms, or jobs per second.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { readStamp, setWallClock, STAMP_ARGV } from '../measure/stamp.js';
import type { Conversation } from '../setup/conversation.js';
import type { Peer } from './peer.js';

/** A program that does nothing; not that of setup/burst.ts, which loads tritmesh. */
const NO_OP: readonly string[] = ['true'];

/** The client of a queue. */
export interface Queue {
  /** Submits one job; resolves with its output when it has ended. */
  run(argv: readonly string[]): Promise<string>;
  /** Submits many; resolves when all have ended. */
  runAll(argv: readonly string[], count: number): Promise<void>;
  close(): Promise<void>;
}

/** The peer behind a driver. */
export function createQueuePeer(driver: Conversation): Peer {
  const ask = async <Answer>(request: string): Promise<Answer> => {
    driver.write(request);
    return JSON.parse(await driver.nextLine()) as Answer;
  };
  return {
    dispatch: (count) => ask<readonly number[]>(`dispatch ${count}`),
    burst: (count) => ask<number>(`burst ${count}`),
  };
}

/** Answers requests until stdin ends. */
export async function serveQueue(queue: Queue): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const [request, count = '0'] = line.split(' ');
    const answer = request === 'burst' ? await burst(queue, Number(count)) : await dispatch(queue, Number(count));
    console.log(JSON.stringify(answer));
  }
  await queue.close();
}

async function dispatch(queue: Queue, count: number): Promise<readonly number[]> {
  const wall = setWallClock();
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const begun = wall();
    times.push((readStamp(await queue.run(STAMP_ARGV)) ?? Number.NaN) - begun);
  }
  return times;
}

async function burst(queue: Queue, count: number): Promise<number> {
  const begun = performance.now();
  await queue.runAll(NO_OP, count);
  return (count / (performance.now() - begun)) * 1000;
}

/** Runs the program of a job; resolves with its output. */
export async function runJob([file = '', ...args]: readonly string[]): Promise<string> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(child, 'close');
  const output = await text(child.stdout);
  await ended;
  return output;
}

/** Loads a package that was installed into a directory. */
export function loadPackage(directory: string, name: string): unknown {
  return createRequire(join(directory, 'package.json'))(name);
}
