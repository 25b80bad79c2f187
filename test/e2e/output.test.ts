/**
 * A job that writes endlessly: bounded without a reader, held for a slow reader, cancelled when its reader goes away.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBroker, type RunningBroker } from '../../broker/create-broker.js';
import { canMountDisks } from '../support/small-disk.js';
import {
  allUp,
  fields,
  isStatus,
  MAIN,
  openScene,
  type BusListener,
  type NodeProcess,
  type Scene,
} from '../support/programs.js';

const MIB = 1024 ** 2;
const WAIT_MS = 60_000;

describe.skipIf(!canMountDisks)('a job that writes without end', () => {
  let broker: RunningBroker;
  let scene: Scene;
  let ear: BusListener;
  let disk: string;
  let alpha: NodeProcess;

  beforeEach(async () => {
    broker = await createBroker({ base: 'tritmesh', port: 0 });
    scene = openScene(broker.url);
    ear = await scene.ear();
    disk = await scene.directory();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=600m', 'tmpfs', disk]);
    alpha = await scene.node('alpha', 'fixed:0.9');
    await scene.node('beta', 'fixed:0', {}, { parent: disk });
    await allUp(ear, ['alpha', 'beta']);
  });
  afterEach(async () => {
    execFileSync('umount', ['--lazy', disk]);
    await scene.end();
    await broker.close();
  });

  it('is ended without a reader, long before the disk is full, and reports why', { timeout: WAIT_MS }, async () => {
    const given = await scene.command(alpha, ['run', '--no-wait', '--', 'yes']);
    const most = watchUse(disk);
    const ended = await ear.next(isStatus(given.stdout.trim(), 'done', 'failed', 'lost', 'cancelled'));
    expect(fields(ended)).toMatchObject({ phase: 'done', signal: 'SIGTERM', attempts: 1 });
    expect(fields(ended)['reason']).toMatch(
      /^its output exceeded \d+(\.\d)? MiB and nobody read it \(limits\.output\)$/,
    );
    expect(most()).toBeLessThan(400 * MIB);
  });

  it('is cancelled when its reader has seen enough', { timeout: WAIT_MS }, async () => {
    const most = watchUse(disk);
    const args = [MAIN, 'run', '--id', 'alpha', '--broker', broker.url, '--state-dir', alpha.stateDir, '--', 'yes'];
    const shell = `"$@" | head -3; exit \${PIPESTATUS[0]}`;
    const child = spawn('bash', ['-c', shell, 'bash', process.execPath, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    expect({ code, stdout }).toEqual({ code: 141, stdout: 'y\ny\ny\n' });
    await ear.next((one) => one.topic.endsWith('/status') && fields(one)['phase'] === 'cancelled');
    expect(most()).toBeLessThan(400 * MIB);
  });

  it('is held while its reader is stopped, and continues when it reads', { timeout: WAIT_MS }, async () => {
    const args = ['--id', 'alpha', '--broker', broker.url, '--state-dir', alpha.stateDir];
    // Slowly enough that there is something left to hold when it is looked at, however busy the machine is.
    const job = ['sh', '-c', 'for i in $(seq 150); do head -c 1000000 /dev/zero; sleep 0.05; done'];
    const child = spawn(process.execPath, [MAIN, 'run', ...args, '--', ...job], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const isMark = (): boolean => execFileSync('find', [disk, '-name', 'paused']).length > 0;
    await expect.poll(isMark, { timeout: 20_000 }).toBe(true);
    expect(150_000_000 - use(disk)).toBeGreaterThan(0);
    let bytes = 0;
    child.stdout.on('data', (chunk: Buffer) => (bytes += chunk.length));
    const [code] = (await once(child, 'close')) as [number | null];
    expect({ code, bytes }).toEqual({ code: 0, bytes: 150_000_000 });
  });
});

/** The most disk space that has been used since then, bytes. */
function watchUse(disk: string): () => number {
  let most = 0;
  const timer = setInterval(() => (most = Math.max(most, use(disk))), 5);
  return () => {
    clearInterval(timer);
    return Math.max(most, use(disk));
  };
}

function use(disk: string): number {
  const { blocks, bfree, bsize } = statfsSync(join(disk, '.'));
  return (blocks - bfree) * bsize;
}
