/** A receiver with little free disk space: what does not fit goes elsewhere at once, or waits and reports why. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, ftruncateSync, openSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBroker, type RunningBroker } from '../../broker/create-broker.js';
import { canMountDisks } from '../support/small-disk.js';
import { allUp, fields, isStatus, openScene, type BusListener, type Heard, type Scene } from '../support/programs.js';

const MIB = 1024 ** 2;
const WAIT_MS = 60_000;

describe.skipIf(!canMountDisks)('a receiver with a disk of 20 MiB', () => {
  let broker: RunningBroker;
  let scene: Scene;
  let ear: BusListener;
  let disk: string;

  beforeEach(async () => {
    broker = await createBroker({ base: 'tritmesh', port: 0 });
    scene = openScene(broker.url);
    ear = await scene.ear();
    disk = await scene.directory();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', disk]);
  });
  afterEach(async () => {
    execFileSync('umount', ['--lazy', disk]);
    await scene.end();
    await broker.close();
  });

  it('leaves 100 MiB to the node that has space, at once', { timeout: WAIT_MS }, async () => {
    const alpha = await scene.node('alpha', 'fixed:0.9');
    // Less loaded, so that it would rank first.
    await scene.node('beta', 'fixed:0', {}, { parent: disk });
    await scene.node('gamma', 'fixed:0.2');
    await allUp(ear, ['alpha', 'beta', 'gamma']);
    const directory = await scene.directory();
    writeFileSync(join(directory, 'large'), randomBytes(100 * MIB));
    const ended = await scene.command(alpha, ['run', '--in', 'large', '--', 'sh', '-c', 'wc -c <large'], directory);
    expect(ended).toMatchObject({ code: 0, stdout: `${100 * MIB}\n` });
    expect(claims(ear.heard)).toEqual(['gamma']);
  });

  it('keeps 100 MiB waiting with a reason if it is alone, and takes what fits', { timeout: WAIT_MS }, async () => {
    const alpha = await scene.node('alpha', 'fixed:0.9');
    await scene.node('beta', 'fixed:0', {}, { parent: disk });
    await allUp(ear, ['alpha', 'beta']);
    const directory = await scene.directory();
    writeFileSync(join(directory, 'large'), randomBytes(100 * MIB));
    const given = await scene.command(alpha, ['run', '--no-wait', '--in', 'large', '--', 'true'], directory);
    const item = given.stdout.trim();
    const waiting = await ear.next((one) => isStatus(item, 'queued')(one) && one.text.includes('of disk'));
    const reason = expect.stringMatching(/^needs 100 MiB of disk space, 1[78]\.\d MiB is free for guests$/) as unknown;
    expect(fields(waiting)['blocked']).toContainEqual({ node: 'beta', code: 'too-little-disk', reason });
    // Meanwhile, a job that needs no disk space.
    expect(await scene.command(alpha, ['run', '--', 'echo', 'fits'])).toMatchObject({ code: 0, stdout: 'fits\n' });
    expect(ear.heard.filter((one) => one.topic.endsWith(`/${item}/claim/beta`))).toEqual([]);
  });

  it('takes a sparse file of 256 MiB, and returns it as a sparse file', { timeout: WAIT_MS }, async () => {
    const alpha = await scene.node('alpha', 'fixed:0.9');
    await scene.node('beta', 'fixed:0', {}, { parent: disk });
    await allUp(ear, ['alpha', 'beta']);
    const directory = await scene.directory();
    const sparse = openSync(join(directory, 'sparse'), 'w');
    ftruncateSync(sparse, 256 * MIB);
    closeSync(sparse);
    const shell = 'printf x | dd of=sparse bs=1 seek=200000000 conv=notrunc 2>/dev/null; mv sparse back';
    const ended = await scene.command(
      alpha,
      ['run', '--in', 'sparse', '--out', 'back', '--', 'sh', '-c', shell],
      directory,
    );
    expect(ended).toMatchObject({ code: 0 });
    // A slow machine reports what the item waits for, which is not disk space; nothing else is printed.
    const others = ended.stderr
      .split('\n')
      .filter((line) => !/^$|^ {2}|: \S+ is (staging|queued|offered|acked|returning)\b/.test(line));
    expect(others).toEqual([]);
    expect(ended.stderr).not.toMatch(/room|cannot/);
    const { size, blocks } = statSync(join(directory, 'back'));
    expect(size).toBe(256 * MIB);
    expect(blocks * 512).toBeLessThan(MIB);
    expect(sumDisk(alpha.stateDir)).toBeLessThan(10 * MIB);
  });

  it(
    'takes nothing while it is full, reports it, and takes the item when there is space',
    { timeout: WAIT_MS },
    async () => {
      const alpha = await scene.node('alpha', 'fixed:0.9');
      const beta = await scene.node('beta', 'fixed:0', {}, { parent: disk });
      await allUp(ear, ['alpha', 'beta']);
      writeFileSync(join(disk, 'filler'), Buffer.alloc(15 * MIB));
      writeFileSync(join(disk, 'more'), Buffer.alloc(4.5 * MIB));
      await ear.next((one) => one.topic.endsWith('beta/event') && fields(one)['event_type'] === 'disk_changed');
      const state = await ear.next((one) => one.topic.endsWith('beta/state') && fields(one)['disk_free_bytes'] === 0);
      expect(fields(state)).toMatchObject({ trit: -1, slots_free: 0, draining: false });
      const status = await scene.command(alpha, ['status']);
      expect(status.stdout).toMatch(/beta .*disk full/);
      const given = await scene.command(alpha, ['run', '--no-wait', '--', 'true']);
      const item = given.stdout.trim();
      const waiting = await ear.next((one) => isStatus(item, 'queued')(one) && one.text.includes('disk is full'));
      expect(fields(waiting)['blocked']).toContainEqual({
        node: 'beta',
        code: 'disk-full',
        reason: 'its disk is full: it takes no work',
      });
      expect(beta.output()).toMatch(/the disk is full: .* reserved \(disk\.reserve\); no new work is accepted/);
      execFileSync('rm', [join(disk, 'more')]);
      await ear.next(isStatus(item, 'done'));
      expect(claims(ear.heard)).toEqual(['beta']);
    },
  );
});

function claims(heard: readonly Heard[]): readonly string[] {
  return heard.flatMap(({ topic }) => /\/claim\/([a-z]+)$/.exec(topic)?.[1] ?? []);
}

/** Disk space that a tree uses, bytes. */
function sumDisk(path: string): number {
  if (!existsSync(path)) return 0;
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.blocks * 512;
  return readdirSync(path).reduce((sum, name) => sum + sumDisk(join(path, name)), 0);
}
