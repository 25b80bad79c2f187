/** Leases and limits of runs while the node holds the pipe. */
import { describe, expect, it } from 'vitest';
import { isThere, until, type SupervisorSuite } from '../support/supervised.js';

/** What every process of the run does in these tests: it ends only if it is ended. */
const STAY = 'echo ready; exec sleep 1000';
const ENDED = { code: 137, signal: 9 };

/** Tests how runs are ended by their leases and limits. */
export function testLeases({ open }: SupervisorSuite): void {
  describe('a lease', () => {
    it('ends the whole session of its run', async () => {
      const { start } = await open();
      // With job control, the first `sleep` has a group of its own.
      const job = start({ argv: ['bash', '-c', `set -m; sleep 1000 & echo $!; ${STAY}`], leaseMs: 300 });
      const member = Number.parseInt(await job.said('ready'), 10);
      expect(await job.ended()).toMatchObject(ENDED);
      expect(job.record()?.stopReason).toBe('watchdog: lease ended');
      expect(job.read('stderr')).toContain('tritmesh: watchdog: lease ended\n');
      await until(() => !isThere(member));
    });

    it('is extended, and never shortened', async () => {
      const { start, lease } = await open();
      const kept = start(STAY, { leaseMs: 300 });
      lease(kept.id, 600_000);
      lease(kept.id, 0);
      const other = start(STAY, { leaseMs: 400 });
      expect(await other.ended()).toMatchObject(ENDED);
      const { pid } = await kept.started();
      expect([isThere(pid), kept.record()?.stopReason]).toEqual([true, undefined]);
      process.kill(pid, 'SIGTERM');
      expect(await kept.ended()).toMatchObject({ code: 143, signal: 15 });
      expect(kept.record()?.stopReason).toBeUndefined();
    });

    it('that names another doubt, or another run, changes nothing', async () => {
      const { start, lease } = await open();
      const job = start(STAY, { leaseMs: 300 });
      lease(job.id, 600_000, 1);
      lease(job.id + 7, 600_000);
      expect(await job.ended()).toMatchObject(ENDED);
      expect(job.record()?.stopReason).toBe('watchdog: lease ended');
    });

    it('does not delay the wall-clock limit', async () => {
      const { start, lease } = await open();
      const job = start(STAY, { limitMs: 300 });
      lease(job.id, 600_000);
      expect(await job.ended()).toMatchObject(ENDED);
      expect(job.record()).toMatchObject({ limitMs: 300, stopReason: 'watchdog: wall-clock limit' });
      expect(job.read('stderr')).toContain('tritmesh: watchdog: wall-clock limit\n');
    });

    it('ends a run that has put a pipe in place of its stderr', async () => {
      const { start } = await open();
      const job = start(`rm ../stderr; mkfifo ../stderr; ${STAY}`, { leaseMs: 800 });
      await job.said('ready');
      expect(await job.ended()).toMatchObject(ENDED);
      expect((await start('exit 2').ended()).code).toBe(2);
    });
  });
}
