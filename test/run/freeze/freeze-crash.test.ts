/** Nodes that die while they freeze, restore or thaw: what the next life finds, and that nothing is lost, doubled or left stopped. */
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listProcessesBelow } from '../../support/processes-below.js';
import type { RunHandle, StartRequest } from '../../../src/run/runner.js';
import { canFreeze, CHECKPOINT } from '../../support/criu.js';
import { waitForText } from '../../support/run-setup.js';
import { startRunnerHost, type RunnerHost } from '../../support/runner-host.js';

let root: string;
const nodes: RunnerHost[] = [];
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'tritmesh-freeze-')));
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.kill();
  // Supervisors without runs end once they have heard that their node is gone.
  const isEnding = ({ command }: { readonly command: string }): boolean => /supervisor|tritmesh-warden/.test(command);
  await expect.poll(() => listProcessesBelow(root).every((one) => !isEnding(one)), { timeout: 20_000 }).toBe(true);
  const left = listProcessesBelow(root);
  for (const { pid } of left) process.kill(pid, 'SIGKILL');
  rmSync(root, { recursive: true, force: true });
  expect(left, 'processes left by the test').toEqual([]);
});

async function node(place = 'one'): Promise<RunnerHost> {
  const made = await startRunnerHost(join(root, place));
  nodes.push(made);
  return made;
}

/** Counts until somebody makes the file `gate` beside `work`; its children come and go. */
const COUNT = 'i=0; while [ ! -e ../gate ]; do echo $i; i=$((i + 1)); sleep 0.01; done; exit 5';
const order = (run: string, more: Partial<StartRequest> = {}): StartRequest => ({
  run,
  directory: join(root, run),
  command: { argv: ['sh', '-c', COUNT], env: {}, outputs: [], migrate: 'checkpoint' },
  environment: {},
  guardMs: 60_000,
  ...more,
});
const output = (run: string): string => readFileSync(join(root, run, 'stdout'), 'utf8');

/** Starts the counter and waits until it counts. */
async function begin(first: RunnerHost, more: Partial<StartRequest> = {}): Promise<RunHandle> {
  first.ask('start', order('a', more));
  const { handle } = await first.answer('a', 'RunStarted');
  await waitForText(join(root, 'a/stdout'), (text) => text.includes('\n9\n'));
  return handle;
}

async function freeze(one: RunnerHost): Promise<void> {
  one.ask('freeze', 'a');
  await one.answer('a', 'RunFrozen');
}

/** What a transfer does; gives the order that restores it. */
function carry(more: Partial<StartRequest> = {}): StartRequest {
  for (const name of ['work', 'stdout', 'image'])
    cpSync(join(root, 'a', name), join(root, 'b', name), { recursive: true });
  return order('b', { restore: true, ...more });
}

async function adopt(run: string, handle: RunHandle | null, place = 'one'): Promise<RunnerHost> {
  const next = await node(place);
  next.ask('adopt', run, join(root, run), handle);
  return next;
}

/** The run goes on, ends when it may, and its count is whole. */
async function expectWhole(one: RunnerHost, run: string): Promise<void> {
  const before = output(run).length;
  await waitForText(join(root, run, 'stdout'), (text) => text.length > before);
  openGate(run);
  expect(await one.end(run)).toMatchObject({ type: 'RunExited', exitCode: 5 });
  expectCount(run);
}

function openGate(run: string): void {
  writeFileSync(join(root, run, 'gate'), '');
}

function expectCount(run: string): void {
  const lines = output(run).trimEnd().split('\n');
  expect(lines).toEqual(lines.map((_line, index) => String(index)));
}

describe.skipIf(!canFreeze)('a node that dies', () => {
  it.each(['with its handle', 'without'])('while it dumps: the next life thaws the run (%s)', async (which) => {
    const first = await node();
    const handle = await begin(first);
    first.ask('freeze', 'a');
    await expect.poll(() => existsSync(join(root, 'a/image')), { interval: 1, timeout: 10_000 }).toBe(true);
    await first.kill();
    const next = await adopt('a', which === 'without' ? null : handle);
    await next.answer('a', 'RunStarted');
    next.ask('thaw', 'a');
    await next.answer('a', 'RunThawed');
    expect(existsSync(join(root, 'a/image'))).toBe(false);
    await expectWhole(next, 'a');
  });

  it('while it dumps: the next life freezes it whole', async () => {
    const first = await node();
    const handle = await begin(first);
    first.ask('freeze', 'a');
    await expect.poll(() => existsSync(join(root, 'a/image')), { interval: 1, timeout: 10_000 }).toBe(true);
    await first.kill();
    const next = await adopt('a', handle);
    await next.answer('a', 'RunStarted');
    await freeze(next);
    const [before] = [output('a')];
    next.ask('start', carry());
    await next.answer('b', 'RunPrepared');
    expect(output('a')).toBe(before);
    next.ask('stop', 'a', 0);
    await next.end('a');
    next.ask('thaw', 'b');
    await next.answer('b', 'RunThawed');
    await expectWhole(next, 'b');
  });

  it('after it froze a run: the next life says frozen again, and the image is the same', async () => {
    const first = await node();
    const handle = await begin(first);
    await freeze(first);
    await first.kill();
    const facts = readFileSync(join(root, 'a/image/facts.json'), 'utf8');
    const next = await adopt('a', handle);
    await next.answer('a', 'RunStarted');
    await freeze(next);
    expect(readFileSync(join(root, 'a/image/facts.json'), 'utf8')).toBe(facts);
    next.ask('thaw', 'a');
    await next.answer('a', 'RunThawed');
    await expectWhole(next, 'a');
  });

  it('while it restores, or after: the next life hears that the copy is prepared, once it is', async () => {
    const first = await node();
    await begin(first);
    await freeze(first);
    const second = await node('other');
    second.ask('start', carry());
    await waitForText(join(root, 'other/1/log'), (text) => text.includes('\nbegin '));
    await second.kill();
    const third = await adopt('b', null, 'other');
    const { handle } = await third.answer('b', 'RunPrepared');
    await third.kill();
    const fourth = await adopt('b', handle, 'other');
    await fourth.answer('b', 'RunPrepared');
    first.ask('stop', 'a', 0);
    expect(await first.end('a')).toMatchObject({ type: 'RunDied', reason: 'stopped' });
    fourth.ask('thaw', 'b');
    await fourth.answer('b', 'RunThawed');
    await fourth.kill();
    const fifth = await adopt('b', handle, 'other');
    await fifth.answer('b', 'RunStarted');
    await expectWhole(fifth, 'b');
  });

  it('for good: the exit code of a copy is there without it', async () => {
    const first = await node();
    await begin(first);
    await freeze(first);
    first.ask('start', carry());
    await first.answer('b', 'RunPrepared');
    first.ask('stop', 'a', 0);
    await first.end('a');
    first.ask('thaw', 'b');
    await first.answer('b', 'RunThawed');
    await first.kill();
    openGate('b');
    await waitForText(join(root, 'b/exit'), (text) => text.includes('\nend\n'));
    const next = await adopt('b', null);
    expect(await next.end('b')).toMatchObject({ type: 'RunExited', exitCode: 5 });
    expectCount('b');
  });
});

describe.skipIf(!canFreeze)('the watchdog', () => {
  it('ends a frozen run and a prepared copy that nobody extends', async () => {
    const first = await node();
    await begin(first, { guardMs: 6000 });
    await freeze(first);
    first.ask('start', carry({ guardMs: 3000 }));
    await first.answer('b', 'RunPrepared');
    expect(await first.end('b')).toMatchObject({ type: 'RunDied', reason: 'watchdog: lease ended' });
    expect(await first.end('a')).toMatchObject({ type: 'RunDied', reason: 'watchdog: lease ended' });
  });

  it('counts what a run used elsewhere against its wall-clock limit', async () => {
    const first = await node();
    await begin(first);
    await freeze(first);
    const facts = CHECKPOINT.read(join(root, 'a'))?.facts;
    expect(facts?.wall_ms).toBeGreaterThan(90);
    const restore = carry();
    first.ask('start', { ...restore, command: { ...restore.command, wall_ms: Math.ceil(facts?.wall_ms ?? 0) } });
    expect(await first.end('b')).toMatchObject({ reason: 'wall-clock limit' });
    first.ask('stop', 'a', 0);
    await first.end('a');
  });
});
