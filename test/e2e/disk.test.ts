/** A disk that is full in the middle of work: nothing is lost, the node says so, and goes on when there is room. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requirement } from '../requirements.js';
import { BROKERS, type TestBroker } from './brokers.js';
import { allUp, fields, isStatus, openScene, type Ear, type Scene } from './programs.js';
import { askRun, hasFlock, submitWitness } from './witness.js';

const isRoot = requirement(
  'root on Linux to mount a small disk',
  process.platform === 'linux' && process.getuid?.() === 0 && canMount(),
  'run the tests as root, in a container with CAP_SYS_ADMIN',
);
const VARIABLES = { TRITMESH_OFFERS_TTL_MS: '2000' };

describe.skipIf(!isRoot).each(BROKERS)('a full disk on $name', ({ isThere, open }) => {
  if (!isThere || !hasFlock()) return it.skip('needs its broker and flock', () => undefined);
  let broker: TestBroker;
  let scene: Scene;
  let ear: Ear;
  let disk: string;

  beforeEach(async () => {
    broker = await open();
    scene = openScene(broker.url);
    ear = await scene.ear();
    disk = await scene.directory();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]);
  });
  afterEach(async () => {
    // The directory itself goes with the scene, and the nodes with it: so they are ended while it is mounted.
    execFileSync('umount', ['--lazy', disk]);
    await scene.end();
    await broker.close();
  });

  it('loses nothing at the owner', async () => {
    const alpha = await scene.node('alpha', 'fixed:0.9', VARIABLES, { parent: disk });
    await scene.node('beta', 'fixed:0.1', VARIABLES);
    await allUp(ear, ['alpha', 'beta']);
    const job = await submitWitness(scene, ear, alpha, { retry: 'once', waits: true });
    await ear.next(isStatus(job.item, 'running'));
    fill(disk);
    await job.letGo();
    // It does not fit into what the file system keeps of a last page.
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

  it('loses nothing at the receiver', async () => {
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
});

/** Writes until there is no room for one byte more. */
function fill(disk: string): void {
  const file = openSync(join(disk, 'filler'), 'w');
  for (let size = 65_536; size >= 1;) {
    try {
      writeSync(file, Buffer.alloc(size));
    } catch {
      size = Math.floor(size / 2);
    }
  }
  closeSync(file);
}

function canMount(): boolean {
  try {
    // A mount namespace of its own: nothing of this stays.
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
