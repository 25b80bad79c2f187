import { describe, expect, it } from 'vitest';
import type { ScumPolicies } from '../../../src/core/processes/scum-policy.js';
import {
  planThrottles,
  type ListedProcess,
  type RunHere,
  type ThrottleContext,
} from '../../../src/core/processes/throttle-plan.js';
import type { ThrottleState } from '../../../src/core/processes/throttle-state.js';

const policies: ScumPolicies = {
  throttle: 'opt-in',
  migrate: 'managed',
  rules: [],
  sharePercent: 50,
  vacateAfterMs: 60_000,
};

function process(pid: number, cpuPercent: number, change: Partial<ListedProcess> = {}): ListedProcess {
  return { pid, ppid: 1, name: `p${pid}`, cpuPercent, memoryPercent: 0, ageS: 0, start: `s${pid}`, ...change };
}

function run(owner: string, pids: readonly number[], change: Partial<RunHere> = {}): RunHere {
  return { guest: `${owner}/j1/1`, owner, item: 'j1', name: 'job', running: true, pids, ...change };
}

function held(target: string, pid: number, change: Partial<ThrottleState> = {}): readonly [string, ThrottleState] {
  const wish = {
    target,
    processes: [],
    sharePercent: 50,
    pid,
    name: 'x',
    cpuPercent: 100,
    reason: 'r',
    cause: 'matrix',
  } as const;
  const processes = [{ pid, start: `s${pid}`, before: '' }];
  const record = { target, method: 'duty-cycle', sharePercent: 50, place: '', limit: '', processes } as const;
  return [
    target,
    {
      wish,
      phase: 'set',
      record,
      isReported: true,
      reason: '',
      stuck: false,
      faulty: false,
      restingSince: null,
      retryAt: 0,
      ...change,
    },
  ];
}

function choose(change: Partial<ThrottleContext>): {
  readonly wanted: readonly string[];
  readonly endings: Readonly<Record<string, string>>;
  readonly resting: readonly string[];
} {
  const { wishes, endings, resting } = planThrottles({
    self: 'alpha',
    trit: 0,
    ownTrit: 0,
    ownRatio: 0.5,
    formula: 'clamped',
    policies,
    processes: [],
    runs: [],
    held: new Map(),
    judge: () => ({ acts: true, why: 'rule' }),
    ...change,
  });
  return {
    wanted: wishes.map(({ target }) => target),
    endings: Object.fromEntries(endings),
    resting: [...resting.keys()],
  };
}

describe('the matrix', () => {
  const burner = [process(7, 100)];

  it.each<[string, Partial<ThrottleContext>, readonly string[]]>([
    ['ERGODIC throttles SCUM', {}, ['pid/7']],
    ['MINUS leaves it alone', { trit: -1 }, []],
    ['PLUS moves instead', { trit: 1 }, []],
    ['nothing happens without a sample', { trit: undefined }, []],
    ['a light process is left alone', { processes: [process(7, 50)] }, []],
    ['a process that may not be throttled is left alone', { judge: () => ({ acts: false, why: 'no' }) }, []],
    ['a policy that advises does nothing', { policies: { ...policies, throttle: 'advise' } }, []],
    ['one process of a run throttles the whole run', { runs: [run('alpha', [7, 8])] }, ['run/alpha/j1/1']],
    ['a run that is being stopped is left alone', { runs: [run('alpha', [7], { running: false })] }, []],
  ])('%s', (_title, change, wanted) => {
    expect(choose({ processes: burner, ...change }).wanted).toEqual(wanted);
  });

  it('throttles all processes of a run, listed or not', () => {
    const { wishes } = planThrottles({
      self: 'alpha',
      trit: 0,
      ownTrit: 0,
      ownRatio: 0,
      formula: 'clamped',
      policies,
      processes: burner,
      runs: [run('alpha', [7, 8])],
      held: new Map(),
      judge: () => ({ acts: true, why: 'it is an item' }),
    });
    expect(wishes[0]).toMatchObject({ pid: 7, item: 'j1', processes: [{ pid: 7, start: 's7' }, { pid: 8 }] });
    expect(wishes[0]?.reason).toBe('score 0.60 on an ERGODIC node, it is an item');
  });

  it('throttles a guest of another owner before anything of this one', () => {
    const processes = [process(7, 100), process(8, 100), process(9, 100)];
    const runs = [run('beta', [8]), run('alpha', [9])];
    expect(choose({ processes, runs }).wanted).toEqual(['run/beta/j1/1']);
    const next = choose({ processes, runs, held: new Map([held('run/beta/j1/1', 8)]) });
    expect(next.wanted).toEqual(['pid/7', 'run/beta/j1/1', 'run/alpha/j1/1']);
    const failed = choose({ processes, runs, held: new Map([held('run/beta/j1/1', 8, { phase: 'failed' })]) });
    expect(failed.wanted).toContain('pid/7');
  });
});

describe('a throttled target', () => {
  const now = new Map([held('pid/7', 7)]);

  it.each<[string, number, boolean]>([
    ['that uses its whole share stays throttled', 50, true],
    ['that uses nearly its share stays throttled', 41, true],
    ['that leaves much of its share and is light is released', 30, false],
    ['that leaves much of its share but is heavy by memory stays throttled', 30, true],
  ])('%s', (title, cpuPercent, stays) => {
    const memoryPercent = title.includes('memory') ? 60 : 0;
    const chosen = choose({ processes: [process(7, cpuPercent, { memoryPercent })], held: now });
    expect(chosen.wanted).toEqual(stays ? ['pid/7'] : []);
    expect(chosen.resting).toEqual(stays ? [] : ['pid/7']);
    expect(chosen.endings).toEqual({});
  });

  it.each<[string, Partial<ThrottleContext>, string | undefined]>([
    ['the trit is PLUS', { trit: 1 }, 'the node is PLUS now'],
    ['the trit is MINUS', { trit: -1 }, 'the node is MINUS now'],
    ['the process ended', { processes: [process(8, 100)] }, 'it has ended'],
    ['another process has its pid', { processes: [process(7, 100, { start: 'later' })] }, 'it has ended'],
    ['it may no longer be throttled', { judge: () => ({ acts: false, why: 'no rule' }) }, 'no rule'],
    ['the policy is off', { policies: { ...policies, throttle: 'off' }, trit: undefined }, 'the policy'],
    ['the load is not known yet', { trit: undefined }, undefined],
    ['the processes are not known yet', { processes: undefined, trit: -1 }, undefined],
  ])('is released when %s', (_title, change, reason) => {
    const { endings } = choose({ processes: [process(7, 50)], held: now, ...change });
    if (reason === undefined) expect(endings).toEqual({});
    else expect(endings['pid/7']).toContain(reason);
  });

  it.each<[string, readonly RunHere[], string]>([
    ['is stopped', [run('alpha', [7], { running: false })], 'it is being stopped'],
    ['is gone', [], 'it has ended'],
  ])('is released when its run %s', (_title, runs, reason) => {
    const { endings } = choose({ processes: [process(7, 50)], runs, held: new Map([held('run/alpha/j1/1', 7)]) });
    expect(endings['run/alpha/j1/1']).toBe(reason);
  });
});

describe('guests of other owners', () => {
  const crowd = { trit: 1, ownTrit: 1, ownRatio: 0.93, processes: [process(8, 3), process(9, 100)] } as const;
  const runs = [run('beta', [8]), run('alpha', [9])];

  it('are throttled while the own load is PLUS, whatever they use', () => {
    expect(choose({ ...crowd, runs }).wanted).toEqual(['run/beta/j1/1']);
    expect(choose({ ...crowd, runs, ownTrit: 0 }).wanted).toEqual([]);
  });

  it('are released when it falls, with that reason', () => {
    const [target, throttled] = held('run/beta/j1/1', 8);
    const guest = { ...throttled, wish: { ...throttled.wish, cause: 'own-load' } } as const;
    const { endings } = choose({ ...crowd, runs, ownTrit: 0, held: new Map([[target, guest]]) });
    expect(endings[target]).toBe("the machine's own load is no longer PLUS");
  });
});
