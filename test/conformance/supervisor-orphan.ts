/** A node that hangs or dies: its supervisor goes on. */
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatSlot, SLOT_BYTES, writeSlot } from '../../src/run/supervisor/lease-slots.js';
import { isThere, until, type SupervisorSuite } from '../support/supervised.js';

const STAY = 'echo ready; exec sleep 1000';
const ENDED = { code: 137, signal: 9 };

/** Tests what a supervisor does without its node. */
export function testOrphan(suite: SupervisorSuite): void {
  describe('a node that hangs', () => testHung(suite));
  describe('a node that is gone', () => {
    testGone(suite);
    testFormer(suite);
  });
}

function testHung({ open }: SupervisorSuite): void {
  it('does not keep leases from being enforced', async () => {
    const { start } = await open({ isUnread: true });
    const job = start(STAY, { leaseMs: 300 });
    expect(await job.ended()).toMatchObject(ENDED);
  });

  it('has its reports ended once it leaves too much unread, and can still start runs', async () => {
    const { start, output, place, handle } = await open({ isUnread: true, isLying: true });
    const before = start(STAY);
    await before.started();
    // The longest line that is reported, from runs that cannot start; what the log keeps of them is soon replaced.
    const largest = Number.MAX_SAFE_INTEGER;
    const directory = join(place, 'missing');
    const count = 5500;
    for (let number = count; number > 0; number -= 1) start({ id: largest - number, directory });
    const last = largest - 1;
    await until(() => readFileSync(join(place, 'supervisor/log'), 'latin1').includes(`\nfail ${last} `));
    const ended = once(output, 'end');
    let bytes = 0;
    output.on('data', (chunk: Buffer) => (bytes += chunk.length));
    await ended;
    expect(bytes).toBeLessThan(count * 30);
    expect(isThere(handle.pid)).toBe(true);
    const after = start({ argv: ['sh', '-c', 'echo mine; cat'], directory: before.directory, id: 2_000_000 });
    expect((await after.ended()).code).toBe(0);
    expect(after.read('stdout')).toBe('mine\n');
    expect(before.record()?.end).toBeUndefined();
  });
}

function testGone({ open }: SupervisorSuite): void {
  it('leaves a supervisor that ends when nothing runs', async () => {
    const { hangUp, gone, log } = await open();
    hangUp();
    expect(await gone).toBe(0);
    expect(log().map(({ word }) => word)).toEqual(['supervisor', 'orphan']);
  });

  it('leaves one that goes on, records every end, and then ends', async () => {
    const { start, hangUp, gone, log, place } = await open();
    const going = start('until [ -e ../../go ]; do sleep 0.02; done; echo out; exit 9');
    const stays = start('echo ready; until [ -e ../../went ]; do sleep 0.02; done; exit 8');
    await going.started();
    await stays.said('ready');
    hangUp();
    await until(() => log().some(({ word }) => word === 'orphan'));
    writeFileSync(join(place, 'go'), '');
    expect(await going.ended()).toMatchObject({ code: 9 });
    expect(going.read('stdout')).toBe('out\n');
    writeFileSync(join(place, 'went'), '');
    expect(await gone).toBe(0);
    expect(stays.record()?.end).toMatchObject({ code: 8, signal: 0 });
  });

  it('has had what it sent last handled', async () => {
    const { start, input, gone } = await open();
    const jobs = [1, 2, 3].map((code) => start(`exit ${code}`));
    input.end();
    expect(await gone).toBe(0);
    expect(jobs.map((job) => job.record()?.end?.code)).toEqual([1, 2, 3]);
  });

  it('leaves one that takes the whole session with a leader', async () => {
    const { start, hangUp, gone, log } = await open();
    const script = `set -m; sleep 1000 & echo $!; ${STAY}`;
    const job = start({ argv: ['bash', '-c', script] });
    const member = Number.parseInt(await job.said('ready'), 10);
    hangUp();
    await until(() => log().some(({ word }) => word === 'orphan'));
    process.kill((await job.started()).pid, 'SIGTERM');
    expect(await gone).toBe(0);
    await until(() => !isThere(member));
    expect(job.record()?.end).toMatchObject({ code: 143 });
  });
}

function testFormer({ open }: SupervisorSuite): void {
  it('is replaced by a boot that extends leases in the file', async () => {
    const { start, hangUp, gone, directory, log } = await open();
    const leases = join(directory, 'leases');
    const [kept, wrong, torn] = [1, 2, 3].map(() => start(STAY, { leaseMs: 2500 }));
    if (kept === undefined || wrong === undefined || torn === undefined) throw new Error('three were started');
    for (const job of [kept, wrong, torn]) await job.said('ready');
    hangUp();
    await until(() => log().some(({ word }) => word === 'orphan'));
    const slotOf = (job: typeof kept): number => job.record()?.slot ?? -1;
    expect([kept, wrong, torn].map(slotOf)).toEqual([0, 1, 2]);
    writeSlot(leases, slotOf(kept), { id: kept.id, leftMs: 600_000, doubt: 0 });
    writeSlot(leases, slotOf(wrong), { id: wrong.id, leftMs: 600_000, doubt: 1 });
    const record = formatSlot({ id: torn.id, leftMs: 600_000, doubt: 0, number: 41 }).replace(/41( *\n)$/, '40$1');
    writeAt(leases, record, slotOf(torn) * SLOT_BYTES);
    for (const job of [wrong, torn]) {
      expect(await job.ended()).toMatchObject(ENDED);
      expect(job.record()?.stopReason).toBe('watchdog: lease ended');
    }
    const { pid } = await kept.started();
    expect([isThere(pid), kept.record()?.stopReason]).toEqual([true, undefined]);
    // A later lease of the same boot counts as well: it has another number.
    writeSlot(leases, slotOf(kept), { id: kept.id, leftMs: 700_000, doubt: 0 });
    process.kill(pid, 'SIGTERM');
    expect(await gone).toBe(0);
    expect(kept.record()?.end).toMatchObject({ code: 143 });
  });

  it('finds no lease of an earlier run in the slot of a new one', async () => {
    const { start, hangUp, directory, log } = await open();
    const former = start('exit 0');
    await former.ended();
    const job = start(STAY, { leaseMs: 1500 });
    await job.said('ready');
    expect(job.record()?.slot).toBe(former.record()?.slot);
    hangUp();
    await until(() => log().some(({ word }) => word === 'orphan'));
    writeSlot(join(directory, 'leases'), 0, { id: former.id, leftMs: 600_000, doubt: 0 });
    expect(await job.ended()).toMatchObject(ENDED);
  });
}

function writeAt(path: string, text: string, at: number): void {
  const fd = openSync(path, 'r+');
  try {
    writeSync(fd, text, at);
  } finally {
    closeSync(fd);
  }
}
