import { describe, expect, it } from 'vitest';
import { parseProcessList, readProcessTable, readStart } from '../../../src/run/processes/process-table.js';
import { composeEnvironment, composeLauncherPath } from '../../../src/run/launch/environment.js';
import { isGroupGone, listOrphans } from '../../../src/run/processes/session.js';

describe('the process table', () => {
  it('reads the list of ps, where the group stands in for the session', () => {
    expect(parseProcessList('    1     0     1 Ss\n  234     1   230 Z+\n\n')).toEqual([
      { pid: 1, parent: 0, group: 1, session: 1, zombie: false },
      { pid: 234, parent: 1, group: 230, session: 230, zombie: true },
    ]);
  });

  it('holds this very process, whose start does not change', () => {
    expect(readProcessTable().some((row) => row.pid === process.pid && !row.zombie)).toBe(true);
    expect(readStart(process.pid)).toBe(readStart(process.pid));
    expect(readStart(process.pid)).not.toBeUndefined();
    expect(readStart(2 ** 30)).toBeUndefined();
  });
});

describe('a session', () => {
  it('of pid 0, 1 or a strange process is never taken for a run', () => {
    expect([0, 1, process.pid].map((pid) => listOrphans(pid, '/no/such/run'))).toEqual([[], [], []]);
  });

  it('that does not exist is gone', () => {
    expect(isGroupGone(2 ** 30)).toBe(true);
  });
});

describe('composeEnvironment', () => {
  it('lets few variables of the node through, and what comes later wins', () => {
    const own = { PATH: '/bin', HOME: '/root', TRITMESH_PASSWORD: 'secret', TOKEN: 'x', USER: undefined };
    expect(composeEnvironment(own, { A: '1', HOME: '/job' }, { A: '2' })).toEqual({
      PATH: '/bin',
      HOME: '/job',
      A: '2',
    });
    expect(composeEnvironment({})).toEqual({ PATH: '/usr/local/bin:/usr/bin:/bin' });
  });

  it('gives the launcher a path on which it finds sleep', () => {
    expect(composeLauncherPath('/opt/x')).toBe('/opt/x:/usr/bin:/bin');
    expect(composeLauncherPath(undefined)).toContain('/bin');
  });
});
