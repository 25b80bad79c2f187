/** Nodes that die while they move a container: what the next life finds, and that nothing is lost, doubled or left stopped. */
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeDeadline } from '../../../src/run/watchdog/deadline.js';
import type { RunHandle } from '../../../src/run/runner.js';
import {
  canMoveContainers,
  createPodmanHost,
  isContainerAlive,
  readStartTicks,
  type PodmanHost,
} from '../../container/podman-host.js';
import { listProcessesBelow } from '../../support/processes-below.js';
import { waitForEnd, waitForText } from '../../support/run-setup.js';
import { startRunnerHost, type RunnerHost } from '../../support/runner-host.js';

describe.skipIf(!canMoveContainers)('a node that moves a container and dies', { timeout: 180_000 }, () => {
  let storage: string;
  let here: PodmanHost;
  let there: PodmanHost;
  let root: string;
  const nodes: RunnerHost[] = [];

  beforeAll(() => {
    storage = realpathSync(mkdtempSync(join(tmpdir(), 'tritmesh-podman-')));
    here = createPodmanHost(join(storage, 'here'));
    there = createPodmanHost(join(storage, 'there'), here);
  });
  afterAll(() => {
    for (const host of [here, there]) host.clear();
    rmSync(storage, { recursive: true, force: true, maxRetries: 10 });
  });
  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'tritmesh-container-')));
  });
  afterEach(async () => {
    for (const one of nodes.splice(0)) await one.kill();
    for (const host of [here, there]) host.podman('rm', '-f', '-a', '-t', '0');
    // A watchdog writes down that its container is gone.
    await expect.poll(() => listProcessesBelow(root), { timeout: 30_000 }).toEqual([]);
    rmSync(root, { recursive: true, force: true, maxRetries: 10 });
  });

  async function node(host: PodmanHost): Promise<RunnerHost> {
    const made = await startRunnerHost(join(root, host === here ? 'here' : 'there'), [], host.variables);
    nodes.push(made);
    return made;
  }

  /** The next life of a node. */
  async function adopt(host: PodmanHost, run: string, handle: RunHandle | null): Promise<RunnerHost> {
    const next = await node(host);
    next.ask('adopt', run, join(root, run), handle);
    return next;
  }

  async function take(name: string): Promise<{ first: RunnerHost; id: string; handle: RunHandle }> {
    const { id, pid } = here.count(name);
    await here.awaitCount(name, 3);
    const first = await node(here);
    first.ask('take', 'a', join(root, 'a'), { pid, start: readStartTicks(pid) });
    const { handle } = await first.answer('a', 'RunStarted');
    return { first, id, handle };
  }

  /** The original is frozen and its copy prepared, by two nodes. */
  async function prepare(name: string): Promise<Prepared> {
    const { first, id } = await take(name);
    first.ask('freeze', 'a');
    await first.answer('a', 'RunFrozen');
    cpSync(join(root, 'a/image'), join(root, 'b/image'), { recursive: true });
    const second = await node(there);
    const command = { argv: ['sh'], env: {}, outputs: [], migrate: 'checkpoint' } as const;
    second.ask('start', {
      run: 'b',
      directory: join(root, 'b'),
      command,
      environment: {},
      guardMs: 60_000,
      restore: true,
    });
    const { handle } = await second.answer('b', 'RunPrepared');
    return { first, second, id, handle };
  }

  interface Prepared {
    readonly first: RunnerHost;
    readonly second: RunnerHost;
    readonly id: string;
    readonly handle: RunHandle;
  }

  async function expectGoesOn(host: PodmanHost, name: string): Promise<void> {
    const before = host.counted(name).length;
    await host.awaitCount(name, before + 5);
    const counts = host.counted(name);
    expect(counts).toEqual(counts.map((_count, index) => index));
  }

  it.each(['freeze', 'thaw'] as const)('while podman freezes it: the next life can %s it', async (next) => {
    const { first, handle } = await take('mid');
    first.ask('freeze', 'a');
    await waitForText(join(root, 'a/still'), () => true);
    await first.kill();
    const second = await adopt(here, 'a', handle);
    await second.answer('a', 'RunStarted');
    if (next === 'freeze') {
      second.ask('freeze', 'a');
      await second.answer('a', 'RunFrozen');
      expect(existsSync(join(root, 'a/image/container.tar'))).toBe(true);
    }
    second.ask('thaw', 'a');
    await second.answer('a', 'RunThawed');
    await expectGoesOn(here, 'mid');
  });

  it('while podman exports it: what podman did is found', async () => {
    const { first, handle } = await take('export');
    first.ask('freeze', 'a');
    await waitForText(join(root, 'a/podman.log'), () => true);
    await first.kill();
    const second = await adopt(here, 'a', handle);
    await second.answer('a', 'RunStarted');
    second.ask('freeze', 'a');
    await second.answer('a', 'RunFrozen');
    second.ask('stop', 'a', 0);
    expect(await second.end('a')).toMatchObject({ type: 'RunDied', reason: 'stopped' });
  });

  it('after it was frozen: the next life says so again of the same image, and may end it', async () => {
    const { first, id, handle } = await take('frozen');
    first.ask('freeze', 'a');
    await first.answer('a', 'RunFrozen');
    await first.kill();
    const facts = readFileSync(join(root, 'a/image/facts.json'), 'utf8');
    const second = await adopt(here, 'a', handle);
    await second.answer('a', 'RunStarted');
    second.ask('freeze', 'a');
    await second.answer('a', 'RunFrozen');
    expect(readFileSync(join(root, 'a/image/facts.json'), 'utf8')).toBe(facts);
    await second.kill();
    // As a node that had journalled the end does it: nothing is asked in between.
    const third = await adopt(here, 'a', handle);
    third.ask('stop', 'a', 0);
    expect(await third.end('a')).toMatchObject({ type: 'RunDied', reason: 'stopped' });
    expect(() => here.podman('container', 'inspect', id)).toThrow();
  });

  it('after its copy was prepared: the next life hears so, and lets it go once', async () => {
    const { second, handle } = await prepare('prepared');
    await second.kill();
    const third = await adopt(there, 'b', handle);
    await third.answer('b', 'RunPrepared');
    third.ask('thaw', 'b');
    await third.answer('b', 'RunThawed');
    await third.kill();
    const fourth = await adopt(there, 'b', handle);
    await fourth.answer('b', 'RunStarted');
    fourth.ask('thaw', 'b');
    await fourth.answer('b', 'RunThawed');
    await expectGoesOn(there, 'prepared');
  });

  it('while its copy is being started: it is started once, by its watchdog', async () => {
    const { second, handle } = await prepare('thawing');
    second.ask('thaw', 'b');
    await waitForText(join(root, 'b/thawed'), () => true);
    await second.kill();
    const third = await adopt(there, 'b', handle);
    await third.answer('b', 'RunStarted');
    third.ask('thaw', 'b');
    await third.answer('b', 'RunThawed');
    await expectGoesOn(there, 'thawing');
  });

  it('for good: the exit code of the copy is there without it', async () => {
    const { second, handle } = await prepare('good');
    second.ask('thaw', 'b');
    await second.answer('b', 'RunThawed');
    await second.kill();
    there.podman('kill', '-s', 'USR1', 'good');
    await waitForText(join(root, 'b/exit'), (text) => text.includes('\nend\n'));
    const third = await adopt(there, 'b', handle);
    expect(await third.end('b')).toMatchObject({ type: 'RunExited', exitCode: 5 });
  });

  it('for good: its copy ends with its lease', async () => {
    const { second, id, handle } = await prepare('lease');
    second.ask('thaw', 'b');
    await second.answer('b', 'RunThawed');
    await second.kill();
    expect(isContainerAlive(id)).toBe(true);
    // It is over now, however long all before it took.
    writeDeadline(join(root, 'b'), 0, 0);
    await waitForEnd(handle.pid);
    expect(isContainerAlive(id)).toBe(false);
    expect(() => there.podman('container', 'inspect', id)).toThrow();
    const third = await adopt(there, 'b', handle);
    expect(await third.end('b')).toMatchObject({ type: 'RunDied', reason: 'watchdog: lease ended' });
  });

  it('with the watchdog, before the copy was started: it is refused', async () => {
    const { second, handle } = await prepare('both');
    await second.kill();
    process.kill(handle.pid, 'SIGKILL');
    await waitForEnd(handle.pid);
    const third = await adopt(there, 'b', handle);
    expect(await third.end('b')).toMatchObject({ type: 'RunDied', reason: 'its watchdog is gone' });
  });

  it('with the watchdog, while the copy is started: what podman made of it is removed', async () => {
    const { second, id, handle } = await prepare('wreck');
    second.ask('thaw', 'b');
    await waitForText(join(root, 'b/restore.log'), () => true);
    await second.kill();
    process.kill(handle.pid, 'SIGKILL');
    await waitForEnd(handle.pid);
    const third = await adopt(there, 'b', handle);
    expect((await third.end('b')).type).toMatch(/^(RunDied|ThawFailed)$/);
    expect(isContainerAlive(id)).toBe(false);
    expect(() => there.podman('container', 'inspect', id)).toThrow();
  });
});
