/** Containers that move between two storages of podman's on this machine: real podman, real criu, one count that has no gap. */
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeDeadline } from '../../../src/run/watchdog/deadline.js';
import {
  canMoveContainers,
  createPodmanHost,
  isContainerAlive,
  readStartTicks,
  type PodmanHost,
} from '../../container/podman-host.js';
import { CHECKPOINT } from '../../support/criu.js';
import { createRunSetup, type RecordingRunner, type RunSetup } from '../../support/run-setup.js';

describe.skipIf(!canMoveContainers)('a container', { timeout: 180_000 }, () => {
  let root: string;
  let here: PodmanHost;
  let there: PodmanHost;
  let bench: RunSetup;
  let source: RecordingRunner;
  let receiver: RecordingRunner;

  beforeAll(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'tritmesh-podman-')));
    here = createPodmanHost(join(root, 'here'));
    there = createPodmanHost(join(root, 'there'), here);
  });
  afterAll(() => {
    for (const host of [here, there]) host.clear();
    rmSync(root, { recursive: true, force: true, maxRetries: 10 });
  });
  beforeEach(() => {
    bench = createRunSetup();
    source = bench.runner(CHECKPOINT, here.containers);
    receiver = bench.runner(CHECKPOINT, there.containers);
  });
  afterEach(() => {
    for (const host of [here, there]) host.podman('rm', '-f', '-a', '-t', '0');
    bench.clear();
  });

  async function take(name: string, run = 'a'): Promise<string> {
    const { id, pid } = here.count(name);
    await here.awaitCount(name, 3);
    source.take(run, join(bench.root, run), { pid, start: readStartTicks(pid) });
    await source.answer(run, 'RunStarted');
    return id;
  }

  async function freeze(runner: RecordingRunner, run: string): Promise<void> {
    runner.freeze(run);
    await runner.answer(run, 'RunFrozen');
  }

  /** What a transfer does. */
  function carry(from: string, to: string): void {
    cpSync(join(bench.root, from, 'image'), join(bench.root, to, 'image'), { recursive: true });
  }

  function restore(runner: RecordingRunner, run: string, guardMs = 600_000): void {
    runner.start({ ...bench.order(run, ['sh'], { migrate: 'checkpoint' }, guardMs), restore: true });
  }

  /** The lease of a copy that was never extended is over now, however long all before it took. */
  function endLease(run: string): void {
    writeDeadline(join(bench.root, run), 0, 0);
  }

  function expectWhole(counts: readonly number[]): void {
    expect(counts).toEqual(counts.map((_count, index) => index));
  }

  it('is stopped by a freeze, runs nowhere while its copy is prepared, and counts on there', async () => {
    const id = await take('one');
    expect(isContainerAlive(id)).toBe(true);
    await freeze(source, 'a');
    expect(isContainerAlive(id)).toBe(false);
    const before = here.counted('one').length;
    carry('a', 'b');
    restore(receiver, 'b');
    await receiver.answer('b', 'RunPrepared');
    expect(() => there.podman('container', 'inspect', id)).toThrow();
    expect(isContainerAlive(id)).toBe(false);
    receiver.thaw('b');
    await receiver.answer('b', 'RunThawed');
    source.stop('a', 0);
    expect(await source.end('a')).toMatchObject({ type: 'RunDied', reason: 'stopped' });
    expect(() => here.podman('container', 'inspect', id)).toThrow();
    await there.awaitCount('one', before + 5);
    there.podman('kill', '-s', 'USR1', 'one');
    expect(await receiver.end('b')).toMatchObject({ type: 'RunExited', exitCode: 5 });
    expectWhole(there.counted('one'));
  });

  it('comes back to where it was born', async () => {
    await take('two');
    await freeze(source, 'a');
    carry('a', 'b');
    restore(receiver, 'b');
    await receiver.answer('b', 'RunPrepared');
    receiver.thaw('b');
    await receiver.answer('b', 'RunThawed');
    source.stop('a', 0);
    await source.end('a');
    const before = there.counted('two').length;
    await freeze(receiver, 'b');
    carry('b', 'c');
    restore(source, 'c');
    await source.answer('c', 'RunPrepared');
    source.thaw('c');
    await source.answer('c', 'RunThawed');
    receiver.stop('b', 0);
    expect(await receiver.end('b')).toMatchObject({ type: 'RunDied', reason: 'stopped' });
    await here.awaitCount('two', before + 5);
    here.podman('kill', '-s', 'USR1', 'two');
    expect(await source.end('c')).toMatchObject({ type: 'RunExited', exitCode: 5 });
    expectWhole(here.counted('two'));
  });

  it('that was frozen goes on where it was, and can be frozen again', async () => {
    await take('three');
    await freeze(source, 'a');
    const before = here.counted('three').length;
    source.thaw('a');
    await source.answer('a', 'RunThawed');
    expect(existsSync(join(bench.root, 'a/image'))).toBe(false);
    await here.awaitCount('three', before + 5);
    source.freeze('a');
    await source.answer('a', 'RunFrozen', 1);
    source.stop('a', 0);
    expect(await source.end('a')).toMatchObject({ type: 'RunDied', reason: 'stopped' });
  });

  it('whose export is torn never starts: the copy is refused, and nothing of it is left', async () => {
    const id = await take('four');
    await freeze(source, 'a');
    carry('a', 'b');
    truncateSync(join(bench.root, 'b/image/container.tar'), 60_000);
    restore(receiver, 'b');
    await receiver.answer('b', 'RunPrepared');
    receiver.thaw('b');
    expect(await receiver.end('b')).toMatchObject({ type: 'ThawFailed', reason: expect.stringMatching(/^podman: /) });
    expect(() => there.podman('container', 'inspect', id)).toThrow();
    const before = here.counted('four').length;
    source.thaw('a');
    await source.answer('a', 'RunThawed');
    await here.awaitCount('four', before + 5);
    expectWhole(here.counted('four'));
  });

  it('is not prepared where its name is taken, and what has the name is left alone', async () => {
    await take('five');
    await freeze(source, 'a');
    there.count('five');
    carry('a', 'b');
    restore(receiver, 'b');
    expect(await receiver.end('b')).toMatchObject({
      type: 'RunFailed',
      reason: 'podman has a container five here already',
    });
    await there.awaitCount('five', 3);
  });

  it('that is only watched is left alone by a stop', async () => {
    await take('six');
    source.stop('a', 0);
    await source.awaitForgotten('a');
    const before = here.counted('six').length;
    await here.awaitCount('six', before + 3);
    expect(source.seen.map(({ type }) => type)).toEqual(['RunStarted']);
  });

  it('goes on when its freeze is stopped before it is done', async () => {
    await take('seven');
    source.freeze('a');
    source.stop('a', 0);
    await source.awaitForgotten('a');
    const before = here.counted('seven').length;
    await here.awaitCount('seven', before + 3);
    expectWhole(here.counted('seven'));
    expect(source.seen.map(({ type }) => type)).toEqual(['RunStarted']);
  });

  it('goes on when it is stopped after it was let go on', async () => {
    await take('again');
    await freeze(source, 'a');
    source.thaw('a');
    source.stop('a', 0);
    await source.answer('a', 'RunThawed');
    await source.awaitForgotten('a');
    await here.awaitCount('again', here.counted('again').length + 3);
    expect(source.seen.map(({ type }) => type)).toEqual(['RunStarted', 'RunFrozen', 'RunThawed']);
  });

  it('cannot be taken twice', async () => {
    await take('eight');
    const pid = Number(here.podman('container', 'inspect', '-f', '{{.State.Pid}}', 'eight'));
    source.take('b', join(bench.root, 'b'), { pid, start: readStartTicks(pid) });
    expect(await source.end('b')).toMatchObject({ type: 'RunFailed', reason: 'its container is a already' });
  });

  it('that ends while it is watched is told of', async () => {
    await take('nine');
    here.podman('kill', 'nine');
    expect(await source.end('a')).toMatchObject({ type: 'RunDied' });
  });

  it('is ended by its watchdog when its lease is over: prepared, running and frozen', async () => {
    const id = await take('ten');
    await freeze(source, 'a');
    for (const run of ['b', 'c', 'd']) carry('a', run);
    restore(receiver, 'b', 3000);
    await receiver.answer('b', 'RunPrepared');
    expect(await receiver.end('b')).toMatchObject({ type: 'RunDied', reason: 'watchdog: lease ended' });
    // All its life long it only waited.
    expect(existsSync(join(bench.root, 'b/restore.log'))).toBe(false);
    restore(receiver, 'c');
    await receiver.answer('c', 'RunPrepared');
    receiver.thaw('c');
    await receiver.answer('c', 'RunThawed');
    endLease('c');
    expect(await receiver.end('c')).toMatchObject({ type: 'RunDied', reason: 'watchdog: lease ended' });
    expect(isContainerAlive(id)).toBe(false);
    expect(() => there.podman('container', 'inspect', id)).toThrow();
    restore(receiver, 'd');
    await receiver.answer('d', 'RunPrepared');
    receiver.thaw('d');
    await receiver.answer('d', 'RunThawed');
    await freeze(receiver, 'd');
    endLease('d');
    expect(await receiver.end('d')).toMatchObject({ type: 'RunDied', reason: 'watchdog: lease ended' });
    expect(() => there.podman('container', 'inspect', id)).toThrow();
  });

  it('loses its copy with its watchdog', async () => {
    const id = await take('eleven');
    await freeze(source, 'a');
    carry('a', 'b');
    restore(receiver, 'b');
    const { handle } = await receiver.answer('b', 'RunPrepared');
    receiver.thaw('b');
    await receiver.answer('b', 'RunThawed');
    process.kill(handle.pid, 'SIGKILL');
    expect(await receiver.end('b')).toMatchObject({ type: 'RunDied', reason: 'its watchdog is gone' });
    expect(isContainerAlive(id)).toBe(false);
    expect(() => there.podman('container', 'inspect', id)).toThrow();
  });

  it('carries what it used, and what it wrote into its image', async () => {
    await take('twelve');
    await freeze(source, 'a');
    const facts = CHECKPOINT.read(join(bench.root, 'a'))?.facts;
    expect(facts).toMatchObject({ name: 'twelve', container: { name: 'twelve', runtime: 'runc' } });
    expect(facts?.wall_ms).toBeGreaterThan(100);
    expect(facts?.image_bytes).toBeGreaterThan(10_000);
    expect(readFileSync(join(bench.root, 'a/container'), 'utf8')).toContain('"found"');
  });
});
