/**
 * `tritmesh run` and `logs -f` that were offline or missed a message when their item ended: they ask, and report why
 * they wait.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBroker, type RunningBroker } from '../../broker/create-broker.js';
import { journalPath } from '../../src/journal/journal-place.js';
import {
  allUp,
  isStatus,
  MAIN,
  openScene,
  type BusListener,
  type NodeProcess,
  type Scene,
} from '../support/programs.js';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.js';

let broker: RunningBroker;
let proxy: FaultProxy;
let scene: Scene;
let node: NodeProcess;
let ear: BusListener;
let directory: string;

beforeEach(async () => {
  broker = await createBroker({ base: 'tritmesh', port: 0 });
  proxy = await startFaultProxy(broker.port);
  scene = openScene(broker.url);
  ear = await scene.ear();
  // Statuses of ended items are cleared from the bus at once.
  node = await scene.node('alpha', 'fixed:0.1', { TRITMESH_TRIT_MINUS_HOLD_MS: '0', TRITMESH_STATUS_KEPT_MS: '0' });
  await allUp(ear, ['alpha']);
  directory = await scene.directory();
});

afterEach(async () => {
  await scene.end();
  await proxy.close();
  await broker.close();
});

describe('tritmesh run', () => {
  it('learns of an end whose status was cleared while it was offline, and prints all of the output', async () => {
    const go = join(directory, 'go');
    const script = `echo begin; until [ -e ${go} ]; do sleep 0.1; done; echo end; echo late >&2; exit 7`;
    const job = start(['run', '--', 'sh', '-c', script]);
    await job.says('stdout', 'begin');
    const away = cut();
    await job.says('stderr', 'still trying');
    writeFileSync(go, '');
    await ear.next((one) => one.topic.endsWith('/status') && one.text === '');
    away.end();
    expect(await job.ended()).toBe(7);
    expect(job.stdout()).toBe('begin\nend\n');
    expect(job.stderr()).toMatch(/late\n/);
    expect(job.stderr().match(/still trying/g)).toHaveLength(1);
  });

  it('exits with 125 and a sentence when its node no longer knows the item', async () => {
    const job = start(['run', '--', 'sh', '-c', 'echo begin; exec sleep 600']);
    await job.says('stdout', 'begin');
    await node.kill();
    rmSync(journalPath(node.stateDir), { recursive: true });
    await node.start();
    expect(await job.ended()).toBe(125);
    expect(job.stderr()).toMatch(/the outcome of \S+ is unknown: no such item here/);
  });

  it('reports why its item waits, even without --verbose', async () => {
    const job = start(['run', '--label', 'gpu', '--', 'true']);
    await job.says('stderr', 'alpha: it lacks the label gpu');
    job.child.kill('SIGINT');
    expect(await job.ended()).toBe(130);
  });

  it('reports that its node is offline, and continues when it is back', async () => {
    const go = join(directory, 'go');
    const job = start(['run', '--', 'sh', '-c', `echo begin; until [ -e ${go} ]; do sleep 0.1; done; exit 5`]);
    await job.says('stdout', 'begin');
    node.signal('SIGTERM');
    await node.ended();
    await job.says('stderr', 'node alpha is offline; waiting for it');
    await node.start();
    await job.says('stderr', 'node alpha is back');
    writeFileSync(go, '');
    expect(await job.ended()).toBe(5);
  });

  it('reports that its node does not answer, and learns of the end when it does', async () => {
    const job = start(['run', '--', 'sh', '-c', 'echo begin; sleep 1; exit 4']);
    await job.says('stdout', 'begin');
    node.signal('SIGSTOP');
    await job.says('stderr', 'node "alpha" did not answer within 5 s; still waiting');
    node.signal('SIGCONT');
    expect(await job.ended()).toBe(4);
  });

  it('submits its item once when the answer of its node is lost', async () => {
    const runs = join(directory, 'runs');
    node.signal('SIGSTOP');
    const job = start(['run', '--', 'sh', '-c', `echo run >> ${runs}; exit 3`]);
    // The request has been sent and is repeated: the node receives it twice.
    await job.says('stderr', 'asking again');
    node.signal('SIGCONT');
    expect(await job.ended()).toBe(3);
    await ear.next((one) => one.topic.endsWith('/response/run') && one.text.includes('"known":true'));
    expect(readFileSync(runs, 'utf8')).toBe('run\n');
  });
});

describe('tritmesh logs -f', () => {
  it('ends for an item whose status was cleared, and for one that never existed', async () => {
    const submitted = await scene.command(node, ['run', '--no-wait', '--', 'sh', '-c', 'exit 0']);
    const item = submitted.stdout.trim();
    await ear.next(isStatus(item, 'done'));
    await ear.next((one) => one.topic.endsWith(`/${item}/status`) && one.text === '');
    expect(await scene.command(node, ['logs', '-f', item])).toMatchObject({
      code: 0,
      stderr: `tritmesh: ${item} is done\n`,
    });
    const none = await scene.command(node, ['logs', '-f', 'no-such-item']);
    expect(none).toMatchObject({ code: 1, stderr: 'tritmesh: no such item here: no-such-item\n' });
  });
});

/** Cuts only the commands of this test off from the broker. */
function cut(): { end(): void } {
  proxy.retarget(1);
  proxy.cutNow();
  return { end: () => proxy.retarget(broker.port) };
}

interface Job {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  says(stream: 'stdout' | 'stderr', text: string): Promise<void>;
  ended(): Promise<number | null>;
}

function start(args: readonly string[]): Job {
  const [command = '', ...rest] = args;
  const flags = ['--broker', `mqtt://127.0.0.1:${proxy.port}`, '--id', 'alpha', '--state-dir', node.stateDir];
  const child = spawn(process.execPath, [MAIN, command, ...flags, ...rest], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  const closed = once(child, 'close') as Promise<[number | null]>;
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.on('data', (chunk: Buffer) => {
      said[stream] += chunk.toString();
      child.emit('said');
    });
  }
  return {
    child,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    async says(stream, text) {
      while (!said[stream].includes(text)) {
        const end = await Promise.race([once(child, 'said').then(() => undefined), closed]);
        if (end !== undefined) throw new Error(`ended with ${end[0]} before it said ${text}: ${JSON.stringify(said)}`);
      }
    },
    ended: async () => (await closed)[0],
  };
}
