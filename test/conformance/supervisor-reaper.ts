/** What only the C program of the supervisor does: it is the parent of what jobs leave behind. */
import { describe, expect, it } from 'vitest';
import { tryReadProcStat } from '../../src/os/proc-stat.js';
import { readProcessTable } from '../../src/run/processes/process-table.js';
import { isThere, openSupervisedPlaces, until, type TestedSupervisor } from '../support/supervised.js';

/** Tests the reaper. */
export function testReaper(tested: TestedSupervisor): void {
  const open = openSupervisedPlaces(tested);

  describe('what a job leaves behind', () => {
    it('becomes a child of the supervisor, and no zombie', async () => {
      const { start, handle, place } = await open();
      const daemon = 'echo \\$\\$; until [ -e ../../go ]; do sleep 0.02; done';
      const loop = `for i in 1 2 3 4 5; do (setsid sh -c "${daemon}" &); done`;
      // The leader stays until all have left its group, which ends with it.
      const job = start(`${loop}; until [ -e ../../left ]; do sleep 0.02; done`);
      await until(() => job.read('stdout').match(/\n/g)?.length === 5);
      const pids = job.read('stdout').trim().split('\n').map(Number);
      await start(`touch ${place}/left`).ended();
      await job.ended();
      await until(() => pids.every((pid) => tryReadProcStat(pid)?.parent === handle.pid));
      await start(`touch ${place}/go`).ended();
      await until(() => pids.every((pid) => tryReadProcStat(pid) === undefined));
      expect(readProcessTable().filter(({ parent, zombie }) => parent === handle.pid && zombie)).toEqual([]);
    });

    it('is ended when the node is gone, and named in the stderr of the job', async () => {
      const { start, hangUp, log, gone } = await open();
      const job = start("(setsid sh -c 'echo $$ ready; exec sleep 1000' &); exec sleep 1000");
      const daemon = Number.parseInt(await job.said('ready'), 10);
      const other = start("(setsid sh -c 'echo $$ ready; exec sleep 1000' &); exec sleep 1000");
      const spared = Number.parseInt(await other.said('ready'), 10);
      hangUp();
      await until(() => log().some(({ word }) => word === 'orphan'));
      process.kill((await job.started()).pid, 'SIGTERM');
      expect(await job.ended()).toMatchObject({ code: 143 });
      await until(() => !isThere(daemon));
      expect(job.read('stderr')).toBe(`tritmesh: ended 1 process that the job left running: sleep (${daemon})\n`);
      expect(isThere(spared)).toBe(true);
      process.kill((await other.started()).pid, 'SIGTERM');
      expect(await gone).toBe(0);
      expect(isThere(spared)).toBe(false);
    });

    it('is ended with all below it', async () => {
      const { start, hangUp, gone } = await open();
      const job = start("(setsid sh -c 'env -i sleep 1000 & echo $! $$ ready; wait' &); exec sleep 1000");
      const pids = (await job.said('ready')).split(' ').slice(0, 2).map(Number);
      const { pid } = await job.started();
      await until(() => pids.every((one) => tryReadProcStat(one)?.name !== 'env'));
      hangUp();
      process.kill(pid, 'SIGTERM');
      expect(await gone).toBe(0);
      const [below, above] = pids;
      const lines = [`sh (${above}), sleep (${below})`, `sleep (${below}), sh (${above})`];
      const sentence = 'tritmesh: ended 2 processes that the job left running: ';
      expect(lines.map((names) => `${sentence}${names}\n`)).toContain(job.read('stderr'));
      expect(pids.filter(isThere)).toEqual([]);
    });

    it('is spared with all below it if it is a tritmesh', async () => {
      const { start, hangUp, log, gone } = await open();
      const nested = "(setsid sh -c 'sleep 1000 & echo $! $$ ready; wait' /some/tritmesh &); exec sleep 1000";
      const job = start(nested);
      const pids = (await job.said('ready')).split(' ').slice(0, 2).map(Number);
      hangUp();
      await until(() => log().some(({ word }) => word === 'orphan'));
      process.kill((await job.started()).pid, 'SIGTERM');
      expect(await gone).toBe(0);
      expect(pids.filter(isThere)).toEqual(pids);
      expect(job.read('stderr')).toBe('');
    });
  });

  it('leaves no warden behind as a zombie', async () => {
    const { handle, hangUp, gone } = await open();
    const warden = (): number | undefined => readProcessTable().find(({ parent }) => parent === handle.pid)?.pid;
    await until(() => warden() !== undefined);
    const pid = warden() ?? 0;
    hangUp();
    expect(await gone).toBe(0);
    expect(tryReadProcStat(pid)).toBeUndefined();
  });
}
