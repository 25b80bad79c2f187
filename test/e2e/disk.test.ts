/** A disk fills up in the middle of work: nothing is lost, the node reports it, and continues when there is space. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BROKERS, takeTurns, type TestBroker } from '../support/brokers.js';
import { allUp, fields, isStatus, openScene, type BusListener, type Heard, type Scene } from '../support/programs.js';
import { canMountDisks } from '../support/small-disk.js';
import { askRun, hasFlock, submitWitness, type Witness } from '../support/witness.js';

const VARIABLES = { TRITMESH_OFFERS_TTL_MS: '2000' };

describe.skipIf(!canMountDisks).each(BROKERS)('a full disk on $name', ({ isThere, open, name }) => {
  if (!isThere || !hasFlock()) return it.skip('needs its broker and flock', () => undefined);
  const onTurn = takeTurns(name);
  let broker: TestBroker;
  let scene: Scene;
  let ear: BusListener;
  let disk: string;

  beforeEach(async () => {
    broker = await open();
    scene = openScene(broker.url);
    ear = await scene.ear();
    disk = await scene.directory();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]);
  });
  afterEach(async () => {
    // The scene removes the directory and ends the nodes, so it must end while the disk is mounted.
    execFileSync('umount', ['--lazy', disk]);
    await scene.end();
    await broker.close();
  });

  onTurn('loses nothing at the owner', async () => {
    const alpha = await scene.node('alpha', 'fixed:0.9', VARIABLES, { parent: disk });
    await scene.node('beta', 'fixed:0.1', VARIABLES);
    await allUp(ear, ['alpha', 'beta']);
    const job = await submitWitness(scene, ear, alpha, { retry: 'once', waits: true });
    await ear.next(isStatus(job.item, 'running'));
    fill(disk);
    await job.letGo();
    // Too large for the rest of a last page of the file system.
    await askRun(ear, alpha, { item: 'late', name: 'late', command: { argv: ['true', 'x'.repeat(20_000)] } });
    await ear.next((one) => one.topic.endsWith('alpha/event') && one.text.includes('journal_changed'));
    await ear.next((one) => one.topic.endsWith('alpha/state') && one.text !== '' && fields(one)['draining'] === true);
    expect(ear.heard.some(isStatus(job.item, 'done', 'failed', 'lost'))).toBe(false);
    rmSync(join(disk, 'filler'));
    expect(await job.settled()).toMatchObject({ phase: 'done', exit_code: 0, attempts: 1 });
    expect(await job.record()).toEqual(['start', 'end']);
    const { found, made } = await job.output();
    expect(found.equals(made)).toBe(true);
    await ear.next(isStatus('late', 'done'));
  });

  onTurn('loses nothing at the receiver', async () => {
    const alpha = await scene.node('alpha', 'fixed:0.9', VARIABLES);
    await scene.node('beta', 'fixed:0.1', VARIABLES, { parent: disk });
    await allUp(ear, ['alpha', 'beta']);
    fill(disk);
    const job = await submitWitness(scene, ear, alpha, { retry: 'rerun' });
    await ear.next((one) => one.topic.endsWith(`/${job.item}/ack`));
    await ear.next(
      (one) =>
        one.topic.endsWith(`/${job.item}/result/beta`) ||
        (one.topic.endsWith('beta/event') && one.text.includes('journal')),
    );
    rmSync(join(disk, 'filler'));
    expect(await job.settled()).toMatchObject({ phase: 'done', exit_code: 0 });
    expect(await job.record()).toEqual(['start', 'end']);
    const { found, made } = await job.output();
    expect(found.equals(made)).toBe(true);
  });

  onTurn('reports why outputs cannot be fetched, and fetches them when there is space', async () => {
    const alpha = await scene.node('alpha', 'fixed:0.9', VARIABLES, { parent: disk });
    await scene.node('beta', 'fixed:0.1', VARIABLES);
    await allUp(ear, ['alpha', 'beta']);
    // There is space for its input and its output once each, but not twice.
    const job = await submitWitness(scene, ear, alpha, { retry: 'once', waits: true, bytes: 3_000_000 });
    await ear.next(isStatus(job.item, 'running'));
    fill(disk, 2_000_000);
    await job.letGo();
    await ear.next((one) => isStatus(job.item, 'returning')(one) && /no space/i.test(String(fields(one)['reason'])));
    rmSync(join(disk, 'filler'));
    await expectOnce(job);
  });

  onTurn('reports why outputs cannot be placed, and places them when there is space', async () => {
    const alpha = await scene.node('alpha', 'fixed:0.9', VARIABLES);
    await scene.node('beta', 'fixed:0.1', VARIABLES);
    await allUp(ear, ['alpha', 'beta']);
    const destination = join(disk, 'home');
    const job = await submitWitness(scene, ear, alpha, { retry: 'once', waits: true, destination });
    await ear.next(isStatus(job.item, 'running'));
    fill(disk);
    await job.letGo();
    await ear.next((one) => isStatus(job.item, 'returning')(one) && /no space/i.test(String(fields(one)['reason'])));
    rmSync(join(disk, 'filler'));
    await expectOnce(job);
  });

  onTurn('does not claim inputs that do not fit, reports why, and claims them when there is space', async () => {
    const alpha = await scene.node('alpha', 'fixed:0.9', VARIABLES);
    await scene.node('beta', 'fixed:0.1', VARIABLES, { parent: disk });
    await allUp(ear, ['alpha', 'beta']);
    fill(disk, 2_000_000);
    await ear.next((one) => one.topic.endsWith('beta/state') && Number(fields(one)['disk_free_bytes']) < 2_000_000);
    const job = await submitWitness(scene, ear, alpha, { retry: 'once', bytes: 3_000_000 });
    const waiting = await ear.next((one) => isStatus(job.item, 'queued')(one) && one.text.includes('of disk'));
    expect(fields(waiting)['blocked']).toContainEqual({
      node: 'beta',
      code: 'too-little-disk',
      reason: expect.stringMatching(/^needs 2\.\d MiB of disk space, 1\.\d MiB is free for guests$/) as unknown,
    });
    expect(ear.heard.some((one) => one.topic.endsWith(`/${job.item}/claim/beta`))).toBe(false);
    rmSync(join(disk, 'filler'));
    await expectOnce(job);
  });

  onTurn('keeps a guest that fills the disk of its receiver until the guest frees space itself', async () => {
    const alpha = await scene.node('alpha', 'fixed:0.9', VARIABLES);
    await scene.node('beta', 'fixed:0.1', VARIABLES, { parent: disk });
    await allUp(ear, ['alpha', 'beta']);
    const [first, after] = ['cat /dev/zero > big; echo full >&2', 'rm big'];
    const job = await submitWitness(scene, ear, alpha, { retry: 'once', waits: true, first, after });
    await ear.next(isStatus(job.item, 'running'));
    await expect.poll(() => roomOn(disk), { timeout: 20_000 }).toBe(0);
    // Its lease is renewed all the time: wait longer than the lease that it had when the disk filled up.
    const from = ear.heard.length;
    const isRenewal = (one: Heard): boolean => one.topic.endsWith(`/${job.item}/progress/beta`);
    await expect
      .poll(() => ear.heard.slice(from).filter(isRenewal).length, { timeout: 40_000 })
      .toBeGreaterThanOrEqual(6);
    await job.letGo();
    await expectOnce(job);
  });

  onTurn('keeps the exit of a guest that ended while the disk of its receiver was full', async () => {
    const alpha = await scene.node('alpha', 'fixed:0.9', VARIABLES);
    await scene.node('beta', 'fixed:0.1', VARIABLES, { parent: disk });
    await allUp(ear, ['alpha', 'beta']);
    const job = await submitWitness(scene, ear, alpha, { retry: 'once', waits: true, first: 'cp data copy' });
    await ear.next(isStatus(job.item, 'running'));
    await expect.poll(job.record, { timeout: 20_000 }).toEqual(['start']);
    fill(disk);
    await job.letGo();
    await expect.poll(job.record, { timeout: 20_000 }).toEqual(['start', 'end']);
    rmSync(join(disk, 'filler'));
    expect(await job.settled()).toMatchObject({ phase: 'done', attempts: 1 });
    expect(await job.record()).toEqual(['start', 'end']);
  });
});

async function expectOnce(job: Witness): Promise<void> {
  expect(await job.settled()).toMatchObject({ phase: 'done', exit_code: 0, attempts: 1 });
  expect(await job.record()).toEqual(['start', 'end']);
  const { found, made } = await job.output();
  expect(found.equals(made)).toBe(true);
}

/** Bytes that can still be written. */
function roomOn(disk: string): number {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
}

/** Writes until only `left` bytes are free, or none. */
function fill(disk: string, left = 0): void {
  const file = openSync(join(disk, 'filler'), 'w');
  if (left > 0) writeSync(file, Buffer.alloc(roomOn(disk) - left));
  else fillUp(file);
  closeSync(file);
}

function fillUp(file: number): void {
  for (let size = 65_536; size >= 1;) {
    try {
      writeSync(file, Buffer.alloc(size));
    } catch {
      size = Math.floor(size / 2);
    }
  }
}
