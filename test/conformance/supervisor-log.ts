/** The log: who may write it, how it stays short, and that it is written on a full disk. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { canMountDisks } from '../support/small-disk.js';
import { spawnSupervisor, until, type SupervisedJob, type SupervisorSuite } from '../support/supervised.js';

const STAY = 'echo ready; exec sleep 1000';

/** Tests the log. */
export function testLog(suite: SupervisorSuite): void {
  describe('the log', () => {
    testOwner(suite);
    testRotation(suite);
    testLongHistory(suite);
    testFullDisk(suite);
  });
}

function testOwner({ open, tested }: SupervisorSuite): void {
  it('belongs to one supervisor: a second one does nothing', async () => {
    const { start, directory, log } = await open();
    const job = start(STAY);
    await job.said('ready');
    const before = log();
    const second = spawnSupervisor(tested.real, directory);
    expect(await once(second, 'exit')).toEqual([3, null]);
    expect(log()).toEqual(before);
    process.kill((await job.started()).pid, 'SIGTERM');
    expect(await job.ended()).toMatchObject({ code: 143 });
  });

  it('keeps a supervisor from beginning that is slow to start', async () => {
    const { place } = await open();
    const directory = join(place, 'other');
    mkdirSync(directory);
    writeFileSync(join(directory, 'log'), 'supervisor 1 forbidden 0 @ .\n');
    expect(await once(spawnSupervisor(tested.real, directory), 'exit')).toEqual([3, null]);
    expect(readFileSync(join(directory, 'log'), 'utf8')).toBe('supervisor 1 forbidden 0 @ .\n');
  });
}

/** Directories that are not there, and whose names fill the log. */
const LONG = 'x'.repeat(200);

function testRotation({ open }: SupervisorSuite): void {
  it('is replaced by what is still needed of it', async () => {
    const { start, directory, log, sleep, lease, place } = await open({ isLying: true });
    const live = start(STAY);
    await live.said('ready');
    sleep(5000);
    await until(() => log().some(({ word }) => word === 'doubt'));
    lease(live.id, 600_000, 1);
    const ended = start('exit 7');
    await ended.ended();
    const { ino } = statSync(join(directory, 'log'));
    let failed: SupervisedJob | undefined;
    for (let number = 0; number < 1100; number += 1) failed = start({ directory: join(place, LONG, String(number)) });
    await failed?.failed();
    await until(() => statSync(join(directory, 'log')).ino !== ino);
    const after = start('exit 5');
    expect((await after.ended()).code).toBe(5);
    expect(log()[0]).toMatchObject({ word: 'supervisor' });
    expect(log().filter(({ word }) => word === 'doubt')).toEqual([{ word: 'doubt', number: 1 }]);
    expect(log().filter(({ word }) => word === 'fail').length).toBeLessThan(600);
    expect(ended.record()).toMatchObject({ directory: ended.directory, end: { code: 7 } });
    expect(live.record()?.end).toBeUndefined();
    process.kill((await live.started()).pid, 'SIGTERM');
    expect(await live.ended()).toMatchObject({ code: 143 });
  });
}

function testLongHistory({ open }: SupervisorSuite): void {
  it('is not replaced at each start when what is still needed is long', async () => {
    const { start, directory, place } = await open();
    const inode = (): number => statSync(join(directory, 'log')).ino;
    // Their directories exist, so they stay in the log.
    const deep = join(place, ...Array.from({ length: 12 }, () => LONG));
    mkdirSync(deep, { recursive: true });
    const first = inode();
    let failed: SupervisedJob | undefined;
    for (let number = 0; number < 150; number += 1) failed = start({ directory: deep });
    await failed?.failed();
    const second = inode();
    expect(second).not.toBe(first);
    for (let number = 0; number < 20; number += 1) failed = start({ directory: deep });
    expect(await failed?.failed()).toBe('cwd ENOENT');
    expect(inode()).toBe(second);
  });
}

function testFullDisk({ open }: SupervisorSuite): void {
  it.skipIf(!canMountDisks)('refuses starts on a full disk, but records every end', async () => {
    const disk = mountDisk();
    const { start, log, hangUp, gone, reported } = await open({ disk });
    const live = Array.from({ length: 8 }, () => start(STAY));
    for (const job of live) await job.said('ready');
    fill(disk);
    // What was reserved ahead is used up first.
    let refused: SupervisedJob | undefined;
    while (refused === undefined) {
      const job = start('exit 3');
      await until(() => job.record()?.end !== undefined || job.record()?.failure !== undefined);
      if (job.record()?.failure !== undefined) refused = job;
    }
    expect(await refused.failed()).toBe('log ENOSPC');
    // However many are refused, there is room for the ends of those that run.
    for (let number = 0; number < 1500; number += 1) refused = start({ directory: refused.directory });
    const { id: last } = refused;
    await until(() => reported.some((line) => line.word === 'fail' && line.id === last));
    const [first, ...rest] = live;
    process.kill((await first?.started())?.pid ?? 0, 'SIGTERM');
    expect(await first?.ended()).toMatchObject({ code: 143 });
    hangUp();
    for (const job of rest) process.kill((await job.started()).pid, 'SIGTERM');
    expect(await gone).toBe(0);
    expect(rest.map((job) => job.record()?.end?.code)).toEqual(rest.map(() => 143));
    expect(log().some(({ word }) => word === 'orphan')).toBe(true);
  });
}

function mountDisk(): string {
  const place = mkdtempSync(join(tmpdir(), 'tritmesh-small-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', place]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', place]);
    rmdirSync(place);
  });
  return place;
}

function fill(disk: string): void {
  let size = 0;
  try {
    for (;;) {
      writeFileSync(join(disk, 'fill'), 'x'.repeat(4096), { flag: 'a' });
      size += 4096;
    }
  } catch {
    expect(size).toBeGreaterThan(0);
  }
}
