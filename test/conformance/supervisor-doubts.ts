/** A machine that sleeps, or seems to: runs are stopped until their node says how long they may go on. */
import { mkdirSync, rmdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tryReadText } from '../../src/os/try-read.js';
import { writeSlot } from '../../src/run/supervisor/lease-slots.js';
import { isThere, stateOf, until, type Supervised, type SupervisorSuite } from '../support/supervised.js';

const STAY = 'echo ready; exec sleep 1000';
/** Longer than any lease here, as clocks that count sleep see it. */
const NIGHT_MS = 8 * 3_600_000;

/** Tests doubts. */
export function testDoubts(suite: SupervisorSuite): void {
  describe('sleep of the machine', () => {
    testHeld(suite);
    testKept(suite);
  });
}

async function untilState(pid: number, isStopped: boolean): Promise<void> {
  await until(() => (stateOf(pid) === 'T') === isStopped && isThere(pid));
}

const countDoubts = ({ log }: Supervised): number => log().filter(({ word }) => word === 'doubt').length;

function testHeld({ open }: SupervisorSuite): void {
  it('stops a run with all its descendants, and a lease that names the doubt continues it', async () => {
    const supervised = await open({ isLying: true });
    const { start, lease, sleep, reported } = supervised;
    const job = start(`setsid sleep 1000 & echo $!; ${STAY}`);
    const apart = Number.parseInt(await job.said('ready'), 10);
    const { pid } = await job.started();
    sleep(NIGHT_MS);
    await untilState(pid, true);
    await untilState(apart, true);
    await until(() => reported.some((line) => line.word === 'doubt' && line.number === 1));
    // One that was sent before the node had read the doubt: it may be as old as the night.
    lease(job.id, 600_000, 0);
    const other = start('exit 6');
    expect(await other.ended()).toMatchObject({ code: 6 });
    expect(stateOf(pid)).toBe('T');
    lease(job.id, 600_000, 1);
    await untilState(pid, false);
    await untilState(apart, false);
    sleep(2 * NIGHT_MS);
    await untilState(pid, true);
    expect(countDoubts(supervised)).toBe(2);
    lease(job.id, 600_000, 2);
    await untilState(pid, false);
    process.kill(apart, 'SIGKILL');
    process.kill(pid, 'SIGTERM');
    expect(await job.ended()).toMatchObject({ code: 143 });
    expect(job.record()?.stopReason).toBeUndefined();
  });

  it('ends a run once its lease has certainly ended', async () => {
    const supervised = await open({ isLying: true });
    const job = supervised.start(STAY, { leaseMs: 3000 });
    await job.said('ready');
    supervised.sleep(NIGHT_MS);
    expect(await job.ended()).toMatchObject({ code: 137, signal: 9 });
    expect(job.record()?.stopReason).toBe('watchdog: lease ended');
    expect(countDoubts(supervised)).toBe(1);
  });

  it('is a doubt without a stop when the lease is longer', async () => {
    const supervised = await open({ isLying: true });
    const job = supervised.start(STAY, { leaseMs: 2 * NIGHT_MS });
    await job.said('ready');
    supervised.sleep(NIGHT_MS);
    await until(() => countDoubts(supervised) === 1);
    expect((await supervised.start('exit 6').ended()).code).toBe(6);
    expect(stateOf((await job.started()).pid)).toBe('S');
  });

  it('is no doubt about runs that are started after it', async () => {
    const supervised = await open({ isLying: true });
    supervised.sleep(NIGHT_MS);
    const job = supervised.start(STAY);
    await job.said('ready');
    // Handled after several looks at the clock.
    for (const code of [1, 2, 3]) expect((await supervised.start(`exit ${code}`).ended()).code).toBe(code);
    expect([countDoubts(supervised), stateOf((await job.started()).pid)]).toEqual([0, 'S']);
  });
}

function testKept({ open }: SupervisorSuite): void {
  it('leaves a run stopped that has an image, until that is gone', async () => {
    const { start, lease, sleep } = await open({ isLying: true });
    const job = start(STAY);
    await job.said('ready');
    const { pid } = await job.started();
    mkdirSync(join(job.directory, 'image'));
    sleep(NIGHT_MS);
    await untilState(pid, true);
    lease(job.id, 600_000, 1);
    expect((await start('exit 6').ended()).code).toBe(6);
    expect(stateOf(pid)).toBe('T');
    rmdirSync(join(job.directory, 'image'));
    await untilState(pid, false);
  });

  it('leaves stopped what others have stopped', async () => {
    const { start, lease, sleep } = await open({ isLying: true });
    const job = start(`sleep 1000 & echo $!; ${STAY}`);
    const member = Number.parseInt(await job.said('ready'), 10);
    const { pid } = await job.started();
    process.kill(member, 'SIGSTOP');
    await untilState(member, true);
    sleep(NIGHT_MS);
    await untilState(pid, true);
    lease(job.id, 600_000, 1);
    await untilState(pid, false);
    expect(stateOf(member)).toBe('T');
  });

  it('stops in a namespace run only what is outside of its own session', async () => {
    const { start, lease, sleep } = await open({ isLying: true });
    const job = start('setsid sleep 1000 & echo $! >pid; exec sleep 1000', { mode: 'namespace' });
    const read = (): string => tryReadText(join(job.directory, 'pid')) ?? '';
    await until(() => read().endsWith('\n'));
    const inner = Number(read());
    await until(() => readFileSync(`/proc/${inner}/cmdline`, 'latin1').startsWith('sleep'));
    sleep(NIGHT_MS);
    await untilState(inner, true);
    expect(stateOf((await job.started()).pid)).toBe('S');
    lease(job.id, 600_000, 1);
    await untilState(inner, false);
  });

  it('is answered by a later boot through the file of leases', async () => {
    const supervised = await open({ isLying: true });
    const { start, sleep, hangUp, directory, log } = supervised;
    const job = start(STAY);
    await job.said('ready');
    const { pid } = await job.started();
    hangUp();
    await until(() => log().some(({ word }) => word === 'orphan'));
    sleep(NIGHT_MS);
    await untilState(pid, true);
    expect(countDoubts(supervised)).toBe(1);
    writeSlot(join(directory, 'leases'), 0, { id: job.id, leftMs: 600_000, doubt: 1 });
    await untilState(pid, false);
    process.kill(pid, 'SIGTERM');
    expect(await job.ended()).toMatchObject({ code: 143 });
  });
}
