/** What goes wrong while runs are frozen and restored, and what is left then: never a copy too many, never one that spins. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listProcessesBelow } from '../../support/processes-below.js';
import { canFreeze, CHECKPOINT } from '../../support/criu.js';
import { createRunSetup, waitForText, type RecordingRunner, type RunSetup } from '../../support/run-setup.js';

let bench: RunSetup;
let runner: RecordingRunner;
beforeEach(() => {
  bench = createRunSetup();
  runner = bench.runner(CHECKPOINT);
});
afterEach(async () => {
  expect(bench.clear(), 'processes left by the test').toEqual([]);
  // The supervisor ends once it has heard that the runner was closed.
  await expect.poll(() => listProcessesBelow(bench.root), { timeout: 20_000 }).toEqual([]);
});

const FREEZABLE = { migrate: 'checkpoint' } as const;
/** Goes on until somebody makes the file `gate` beside `work`. */
const TILL_GATE = 'echo up; while [ ! -e ../gate ]; do sleep 0.05; done; echo down; exit 3';

async function begin(argv: readonly string[]): Promise<void> {
  runner.start(bench.order('a', argv, FREEZABLE));
  await runner.answer('a', 'RunStarted');
  await waitForText(join(bench.root, 'a/stdout'), (text) => text.includes('up'));
}

async function freeze(): Promise<void> {
  runner.freeze('a');
  await runner.answer('a', 'RunFrozen');
}

function carry(to: string = 'b'): void {
  for (const name of ['work', 'stdout', 'image'])
    cpSync(join(bench.root, 'a', name), join(bench.root, to, name), { recursive: true });
}

function restore(run: string = 'b'): void {
  runner.start({ ...bench.order(run, ['true'], FREEZABLE), restore: true });
}

const openGate = (run: string): void => writeFileSync(join(bench.root, run, 'gate'), '');

describe.skipIf(!canFreeze)('a run in a pid namespace', () => {
  it('runs as any other: its children, its signals, its exit code, its cpu', async () => {
    await begin(['sh', '-c', `i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; ${TILL_GATE}`]);
    expect(runner.pids().get('a')?.length).toBeGreaterThanOrEqual(3);
    openGate('a');
    const end = await runner.end('a');
    expect(end).toMatchObject({ type: 'RunExited', exitCode: 3, signal: null });
    expect(end.type === 'RunExited' && end.cpuS > 0.05).toBe(true);
  });

  it('hears SIGTERM, also in sessions of its own', async () => {
    await begin(['sh', '-c', `trap 'echo bye; exit 4' TERM; setsid sleep 600 & echo up; wait`]);
    runner.stop('a', 60_000);
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 4 });
    expect(readFileSync(join(bench.root, 'a/stdout'), 'utf8')).toBe('up\nbye\n');
  });

  it('goes on when what stands in its way is found, and says what', async () => {
    await begin(['sh', '-c', `(sleep 600 & echo $! >daemon); ${TILL_GATE}`]);
    runner.freeze('a');
    const { reason } = await runner.next('a', 'FreezeFailed');
    expect(reason).toMatch(/^sleep \(\d+\) has left its process tree: its parent ended$/);
    expect(existsSync(join(bench.root, 'a/image'))).toBe(false);
    openGate('a');
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 3 });
  });

  it('that was not started in one cannot be frozen, and goes on', async () => {
    runner.start(bench.order('a', ['sh', '-c', TILL_GATE]));
    await runner.answer('a', 'RunStarted');
    runner.freeze('a');
    expect(await runner.next('a', 'FreezeFailed')).toMatchObject({
      reason: 'it was not started as a run that can be frozen',
    });
    openGate('a');
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 3 });
  });
});

describe.skipIf(!canFreeze)('a frozen run', () => {
  it('does nothing until it is thawed: every task of a tree, then it goes on', async () => {
    await begin(['sh', '-c', `(while :; do echo tick >>ticks; sleep 0.02; done) & ${TILL_GATE}`]);
    await waitForText(join(bench.root, 'a/work/ticks'));
    await freeze();
    const size = statSync(join(bench.root, 'a/work/ticks')).size;
    // It has every occasion to go on: the same run again takes as long as before.
    runner.start(bench.order('c', ['sleep', '0.3']));
    await runner.end('c');
    expect(statSync(join(bench.root, 'a/work/ticks')).size).toBe(size);
    runner.thaw('a');
    await runner.answer('a', 'RunThawed');
    await waitForText(join(bench.root, 'a/work/ticks'), (text) => text.length > size);
    openGate('a');
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 3 });
  });

  it('is killed without being continued, whatever grace it is given', async () => {
    await begin(['sh', '-c', `trap 'echo went on' TERM; ${TILL_GATE}`]);
    await freeze();
    runner.stop('a', 60_000);
    expect(await runner.end('a')).toMatchObject({ type: 'RunDied', reason: 'stopped' });
    expect(readFileSync(join(bench.root, 'a/stdout'), 'utf8')).toBe('up\n');
  });

  it('can be frozen, thawed and frozen again, and thawing one that runs does no harm', async () => {
    await begin(['sh', '-c', TILL_GATE]);
    for (let round = 0; round < 3; round += 1) {
      await freeze();
      runner.thaw('a');
      runner.thaw('a');
      await runner.answer('a', 'RunThawed');
    }
    openGate('a');
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 3 });
  });
});

describe.skipIf(!canFreeze)('an image', () => {
  it('that is torn is given up: nothing spins, and the original goes on', async () => {
    await begin(['sh', '-c', TILL_GATE]);
    await freeze();
    carry();
    const pages = readdirSync(join(bench.root, 'b/image')).filter((name) => name.startsWith('pages-'));
    for (const name of pages) truncateSync(join(bench.root, 'b/image', name), 4096);
    restore();
    expect(await runner.end('b')).toMatchObject({ type: 'RunFailed' });
    expect(runner.pids().has('b')).toBe(false);
    runner.thaw('a');
    openGate('a');
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 3 });
  });

  it('that lacks a part, or belongs to another program, is refused with a reason', async () => {
    await begin(['sh', '-c', TILL_GATE]);
    await freeze();
    carry();
    const facts = join(bench.root, 'b/image/facts.json');
    writeFileSync(facts, readFileSync(facts, 'utf8').replaceAll(/"build_id":"[0-9a-f]{8}/g, '"build_id":"00000000'));
    restore();
    expect(await runner.end('b')).toMatchObject({
      type: 'RunFailed',
      reason: expect.stringContaining('is another build: '),
    });
    carry('c');
    rmSync(join(bench.root, 'c/image/inventory.img'));
    restore('c');
    expect(await runner.end('c')).toMatchObject({
      type: 'RunFailed',
      reason: expect.stringMatching(/^criu: /),
    });
    runner.stop('a', 0);
    await runner.end('a');
  });

  it('can be stopped while it is restored, and a prepared copy, too', async () => {
    await begin(['sh', '-c', TILL_GATE]);
    await freeze();
    carry();
    restore();
    await waitForText(join(bench.root, 'b/order'));
    runner.stop('b', 60_000);
    expect(['RunFailed', 'RunDied']).toContain((await runner.end('b')).type);
    runner.stop('a', 0);
    await runner.end('a');
  });
});

describe('without criu', () => {
  it('nothing is frozen, restored or taken, with a reason; a job that could move runs all the same', async () => {
    const plain = bench.runner(undefined, undefined, 'plain');
    plain.start(bench.order('a', ['sh', '-c', 'exit 3'], FREEZABLE));
    expect(await plain.end('a')).toMatchObject({ type: 'RunExited', exitCode: 3 });
    plain.freeze('a');
    expect(await plain.next('a', 'FreezeFailed')).toMatchObject({
      reason: 'this node cannot freeze or restore processes',
    });
    plain.start({ ...bench.order('b', ['true'], FREEZABLE), restore: true });
    expect(await plain.end('b')).toMatchObject({ type: 'RunFailed' });
    plain.take('c', join(bench.root, 'c'), { pid: process.pid, start: '1' });
    expect(await plain.end('c')).toMatchObject({ type: 'RunFailed' });
  });
});

describe.each([
  ['a plain run', 'restart'],
  ...(canFreeze ? ([['a run in a pid namespace', 'checkpoint']] as const) : []),
] as const)('%s that is asked to save', (_title, migrate) => {
  const ask = (saveMs: number) => ({ signal: 'SIGUSR1', saveMs }) as const;

  it('ends by itself, and hears no SIGTERM', async () => {
    const script = `trap 'echo saved >state; exit 0' USR1; trap 'exit 9' TERM; echo up; while :; do sleep 0.02; done`;
    runner.start(bench.order('a', ['sh', '-c', script], { migrate }));
    await waitForText(join(bench.root, 'a/stdout'), (text) => text === 'up\n');
    runner.stop('a', 60_000, ask(60_000));
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 0 });
    expect(readFileSync(join(bench.root, 'a/work/state'), 'utf8')).toBe('saved\n');
  });

  it('hears SIGTERM when it takes too long', async () => {
    const script = `trap 'echo asked' USR1; trap 'exit 9' TERM; echo up; while :; do sleep 0.02; done`;
    runner.start(bench.order('a', ['sh', '-c', script], { migrate }));
    await waitForText(join(bench.root, 'a/stdout'), (text) => text === 'up\n');
    runner.stop('a', 60_000, ask(300));
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 9 });
    expect(readFileSync(join(bench.root, 'a/stdout'), 'utf8')).toBe('up\nasked\n');
  });
});
