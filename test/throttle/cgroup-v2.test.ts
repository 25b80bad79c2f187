/** The method of cgroup version 2 against a made-up hierarchy; the real one runs the suite where its controller is on. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { SavedThrottle } from '../../src/core/processes/saved-throttle.js';
import { createCgroupV2 } from '../../src/throttle/cgroup-v2.js';
import type { LiveTarget } from '../../src/throttle/method.js';
import { createMadeUpCgroups, POINT, type MadeUpCgroups } from './made-up-cgroups.js';

const TARGET = 'run/alpha/j1/1';
const OWN = '/system.slice/tritmesh-alpha-run-alpha-j1-1';
let files: MadeUpCgroups;

beforeEach(() => {
  files = createMadeUpCgroups('cpu memory');
  files.add('/system.slice', [], 'cpu memory');
  files.add('/system.slice/tritmesh.service', [10, 11, 12]);
  files.add('/system.slice/media.service', [20, 21], '', '150000 100000');
});

function live(...pids: readonly number[]): LiveTarget {
  return { target: TARGET, processes: pids.map((pid) => ({ pid, start: `${pid}` })), bystanders: [] };
}

function prepare(target: LiveTarget, sharePercent = 50, known: SavedThrottle | null = null): SavedThrottle {
  const prepared = createCgroupV2(files, 'alpha').prepare(target, sharePercent, known);
  if (!prepared.ok) throw new Error(prepared.reason);
  return prepared.record;
}

describe('cgroup version 2', () => {
  it('works where a controller is handed on, and its try leaves nothing behind', () => {
    const before = files.paths();
    expect(createCgroupV2(files, 'alpha').probe()).toBeUndefined();
    expect(files.paths()).toEqual(before);
    expect(createCgroupV2(createMadeUpCgroups('memory'), 'alpha').probe()).toContain('controller');
  });

  it('puts some of a cgroup beside it, and brings each back, the forked one too', () => {
    const method = createCgroupV2(files, 'alpha');
    const record = prepare(live(11, 12));
    expect(method.set(record)).toEqual({ ok: true });
    expect([11, 12].map(files.groupOf)).toEqual([`${POINT}${OWN}`, `${POINT}${OWN}`]);
    expect(files.limitOf(OWN)).toBe('50000 100000');
    files.write(`${POINT}${OWN}/cgroup.procs`, '99');
    expect(method.undo(record)).toEqual({ ok: true });
    expect([10, 11, 12, 99].map(files.groupOf)).toEqual(Array(4).fill(`${POINT}/system.slice/tritmesh.service`));
    expect(files.paths()).not.toContain(OWN);
  });

  it('limits in place a cgroup that has no others in it, and restores its own limit', () => {
    const method = createCgroupV2(files, 'alpha');
    const record = prepare(live(20, 21), 80);
    expect(method.set(record)).toEqual({ ok: true });
    expect(files.limitOf('/system.slice/media.service')).toBe('80000 100000');
    expect(files.groupOf(20)).toBe(`${POINT}/system.slice/media.service`);
    expect(method.undo(record)).toEqual({ ok: true });
    expect(files.limitOf('/system.slice/media.service')).toBe('150000 100000');
  });

  it('does not lift a limit that is lower than the one asked for', () => {
    files.add('/system.slice/media.service', [20], '', '20000 100000');
    const prepared = createCgroupV2(files, 'alpha').prepare(live(20), 50, null);
    expect(prepared).toEqual({ ok: false, reason: 'its cgroup is limited to 20 % already' });
  });

  it('goes to the top where the parent hands nothing on', () => {
    files.add('/user.slice', []);
    files.add('/user.slice/session-1.scope', [30, 31]);
    expect(prepare(live(30)).place).toBe(`${POINT}/tritmesh-alpha-run-alpha-j1-1`);
  });

  it('knows a process that was forked within it as one of those it came from', () => {
    const method = createCgroupV2(files, 'alpha');
    const record = prepare(live(11));
    method.set(record);
    files.write(`${POINT}${OWN}/cgroup.procs`, '99');
    const grown = prepare(live(11, 99), 50, record);
    expect(grown.processes.map(({ before }) => before)).toEqual(
      Array(2).fill(`${POINT}/system.slice/tritmesh.service`),
    );
  });

  it('brings a process to the nearest cgroup above when its own is gone', () => {
    const method = createCgroupV2(files, 'alpha');
    files.add('/system.slice/short.service', [40, 41]);
    const record = prepare(live(40));
    method.set(record);
    files.write(`${POINT}/cgroup.procs`, '41');
    files.remove(`${POINT}/system.slice/short.service`);
    files.add('/system.slice', []);
    expect(method.undo(record)).toEqual({ ok: true });
    expect(files.groupOf(40)).toBe(`${POINT}/system.slice`);
  });
});
