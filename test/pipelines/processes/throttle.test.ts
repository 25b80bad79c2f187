/** The throttle stage with its effect queue and journal, in virtual time, over a port that only records its calls. */
import { beforeEach, describe, expect, it } from 'vitest';
import { parseScumRule } from '../../../src/core/processes/scum-rules.js';
import type { ScumPolicies } from '../../../src/core/processes/scum-policy.js';
import type { RunHere } from '../../../src/core/processes/throttle-plan.js';
import type { ThrottleEntry } from '../../../src/core/processes/throttle-state.js';
import { DEFAULT_TRIT_RULES } from '../../../src/core/mesh/trit.js';
import { createMemoryJournal, type MemoryContents, type MemoryJournal } from '../../../src/journal/memory-journal.js';
import { createEffectQueue } from '../../../src/pipelines/effects/effect-queue.js';
import type { NodeInput } from '../../../src/pipelines/inputs.js';
import { createThrottlePerformer } from '../../../src/pipelines/effects/perform-throttle.js';
import { createThrottling, type Throttling } from '../../../src/pipelines/processes/throttle.js';
import type { Trit } from '../../../src/protocol/messages.js';
import type { ProcessSample } from '../../../src/sense/sense.js';
import type { Throttle } from '../../../src/throttle/throttle.js';
import { createManualClock, type ManualClock } from '../../support/manual-clock.js';

let clock: ManualClock;
let contents: MemoryContents;
let journal: MemoryJournal;
/** Calls of the port, and the events and inputs that followed, in order. */
let trail: string[];
let pushed: NodeInput[];
let runs: RunHere[];
/** Share of one core that all guests use, as the guest index counts it. */
let guestCpuPercent: number;
let busy: boolean;
let stage: Throttling;

const parsed = parseScumRule('any:name=burn');
const policies: ScumPolicies = {
  throttle: 'opt-in',
  migrate: 'opt-in',
  rules: parsed.ok ? [parsed.rule] : [],
  sharePercent: 50,
  vacateAfterMs: 60_000,
};

beforeEach(() => {
  guestCpuPercent = 0;
  clock = createManualClock();
  contents = new Map();
  journal = createMemoryJournal({ contents });
  [trail, pushed, runs, busy] = [[], [], [], false];
  stage = open();
});

function open(change: Partial<ScumPolicies> = {}): Throttling {
  const push = (input: NodeInput): void => {
    pushed.push(input);
    if (input.type === 'ThrottleInput') stage.handle(input);
  };
  const throttle = createThrottlePerformer(createPort(), push);
  const effectQueue = createEffectQueue({
    journal,
    clock,
    onFault: () => undefined,
    perform: (_subject, effect) => {
      if (effect.type === 'Publish' && effect.kind === 'event')
        trail.push(`${effect.body.event_type}: ${effect.body.reason ?? ''}`);
      else if (effect.type === 'PrepareThrottle' || effect.type === 'SetThrottle' || effect.type === 'UndoThrottle')
        throttle(effect);
    },
  });
  return createThrottling({
    self: 'alpha',
    pid: 900,
    brokerPort: 1883,
    clock,
    policies: { ...policies, ...change },
    formula: 'clamped',
    trit: { ...DEFAULT_TRIT_RULES, plusHoldMs: 0, ergodicHoldMs: 0 },
    moveRestMs: 60_000,
    obstacle: undefined,
    runs: () => runs,
    guestCpuPercent: () => guestCpuPercent,
    moveObstacle: () => undefined,
    perform: (target, effects) => effectQueue.enqueue(target, effects),
    after: (target, done) => effectQueue.after(target, done),
    push,
  });
}

function createPort(): Throttle {
  return {
    methods: ['duty-cycle'],
    missing: new Map(),
    prepare: ({ target, processes }, sharePercent) => {
      const recorded = processes.map(({ pid }) => ({ pid, start: `s${pid}`, before: '' }));
      return {
        ok: true,
        record: { target, method: 'duty-cycle', sharePercent, place: '', limit: '', processes: recorded },
      };
    },
    set: ({ target }) => {
      trail.push(`set ${target}, written: ${[...contents.keys()].join()}`);
      return { ok: true };
    },
    undo: ({ target }) => {
      trail.push(`undo ${target}`);
      return busy ? { ok: false, reason: 'busy' } : { ok: true };
    },
    close: () => undefined,
  };
}

function sample(trit: Trit, ratio = 0.5): void {
  stage.handle({
    type: 'LoadClassified',
    sample: { ratio, cpus: 2, cpuPercent: 50, memoryPercent: 10, memoryBytes: 1e9 },
    trit,
    changed: true,
  });
}

function list(...processes: readonly Partial<ProcessSample>[]): void {
  const whole = processes.map((one) => ({
    pid: 7,
    ppid: 1,
    name: 'burn',
    cpuPercent: 100,
    memoryPercent: 0,
    ageS: 0,
    ...one,
  }));
  stage.handle({ type: 'ProcessesListed', processes: whole });
}

/** Lets the journal write. */
async function settle(): Promise<void> {
  await new Promise(setImmediate);
}

function run(owner: string, pid: number, change: Partial<RunHere> = {}): RunHere {
  return { guest: `${owner}/j1/1`, owner, item: 'j1', name: 'job', running: true, pids: [pid], ...change };
}

describe('the throttle stage', () => {
  it('throttles on ERGODIC, after the journal has it, and undoes on MINUS', async () => {
    sample(0);
    list({});
    expect(trail).toEqual([]);
    await settle();
    expect(trail).toEqual([
      'set pid/7, written: throttle/pid/7',
      'throttled: score 0.60 on an ERGODIC node, rule any:name=burn',
    ]);
    sample(-1, 0.1);
    await settle();
    expect(trail.slice(2)).toEqual(['undo pid/7', 'unthrottled: the node is MINUS now: it has capacity to spare']);
    expect([...contents.keys()]).toEqual([]);
  });

  it('keeps a target that its throttle holds down, and releases one that rests', async () => {
    sample(0);
    list({});
    await settle();
    list({ cpuPercent: 50 });
    list({ cpuPercent: 45 });
    expect(trail).toHaveLength(2);
    list({ cpuPercent: 3 });
    expect(trail).toHaveLength(2);
    clock.pass(20_000);
    list({ cpuPercent: 3 });
    await settle();
    expect(trail.slice(2)).toEqual(['undo pid/7', 'unthrottled: its score stayed below 0.3']);
  });

  it('retries to undo what was busy', async () => {
    sample(0);
    list({});
    await settle();
    busy = true;
    sample(-1);
    await settle();
    expect([...contents.keys()]).toEqual(['throttle/pid/7']);
    expect(stage.explain({ pid: 7, ppid: 1, name: 'burn', cpuPercent: 50, memoryPercent: 0, ageS: 0 }).why).toContain(
      'which failed',
    );
    busy = false;
    list({ cpuPercent: 50 });
    await settle();
    expect(trail.slice(2)).toEqual([
      'undo pid/7',
      'undo pid/7',
      'unthrottled: the node is MINUS now: it has capacity to spare',
    ]);
    expect([...contents.keys()]).toEqual([]);
  });

  it('lifts the throttle of a run at once when it is being stopped', async () => {
    runs = [run('alpha', 7)];
    sample(0);
    list({ name: 'job' });
    await settle();
    expect(trail[0]).toBe('set run/alpha/j1/1, written: throttle/run/alpha/j1/1');
    runs = [run('alpha', 7, { running: false })];
    stage.handle({ type: 'GuestInput', guest: 'alpha/j1/1', input: { type: 'TimePassed' } });
    await settle();
    expect(trail.slice(2)).toEqual(['undo run/alpha/j1/1', 'unthrottled: it is being stopped']);
  });

  it('lifts on demand before a freeze, and calls back when that is done', async () => {
    runs = [run('alpha', 7)];
    sample(0);
    list({ name: 'job' });
    await settle();
    stage.lift('run/alpha/j1/1', 'it is frozen', () => trail.push('frozen now'));
    await settle();
    expect(trail.slice(2)).toEqual(['undo run/alpha/j1/1', 'unthrottled: it is frozen', 'frozen now']);
    stage.lift('run/alpha/other/1', 'it has none', () => trail.push('at once'));
    expect(trail.at(-1)).toBe('at once');
  });

  it('undoes everything when the node stops, and waits until that is written', async () => {
    sample(0);
    list({}, { pid: 8 });
    await settle();
    stage.release('the node stops', () => trail.push(`released with ${contents.size} written`));
    await settle();
    expect(trail.slice(-1)).toEqual(['released with 0 written']);
    stage.release('again', () => trail.push('nothing to do'));
    expect(trail.at(-1)).toBe('nothing to do');
  });

  it('takes over what an earlier boot left, and judges it once it knows load and processes', async () => {
    sample(0);
    list({});
    await settle();
    const left = [...contents.values()].map((text) => JSON.parse(text) as ThrottleEntry);
    trail = [];
    stage = open();
    stage.resume(left);
    expect(trail).toEqual(['set pid/7, written: throttle/pid/7']);
    sample(0);
    list({ cpuPercent: 50 });
    await settle();
    expect(trail).toHaveLength(1);
    sample(1, 0.9);
    await settle();
    expect(trail.at(-1)).toContain('unthrottled: the node is PLUS now');
  });

  it('undoes what an earlier boot left when the policy is off now', async () => {
    sample(0);
    list({});
    await settle();
    const left = [...contents.values()].map((text) => JSON.parse(text) as ThrottleEntry);
    trail = [];
    stage = open({ throttle: 'off' });
    stage.resume(left);
    await settle();
    expect(trail.slice(1)).toEqual(['undo pid/7', 'unthrottled: the policy does not allow throttling']);
    expect([...contents.keys()]).toEqual([]);
  });
});

describe('guests before the owner', () => {
  it('are throttled while the own load is PLUS, sent away when that lasts, and released when it falls', async () => {
    runs = [run('beta', 8)];
    guestCpuPercent = 20;
    list({ pid: 8, cpuPercent: 20 });
    sample(1, 0.95);
    await settle();
    expect(trail[0]).toBe('set run/beta/j1/1, written: throttle/run/beta/j1/1');
    const vacated = (): readonly NodeInput[] => pushed.filter((input) => input.type === 'GuestInput');
    clock.pass(59_000);
    sample(1, 0.95);
    expect(vacated()).toEqual([]);
    clock.pass(1000);
    sample(1, 0.95);
    sample(1, 0.95);
    expect(vacated()).toEqual([
      {
        type: 'GuestInput',
        guest: 'beta/j1/1',
        input: { type: 'VacateWanted', reason: expect.stringContaining('for 60 s') },
      },
    ]);
    sample(0, 0.5);
    await settle();
    expect(trail.at(-1)).toBe("unthrottled: the machine's own load is no longer PLUS");
  });
});

describe('the move of an external process', () => {
  it('is requested on a PLUS node, at intervals, and only where a rule names the process', () => {
    sample(1, 0.9);
    const asked = (): readonly NodeInput[] => pushed.filter((input) => input.type === 'ProcessMoveWanted');
    list({ start: 's7' }, { pid: 8, name: 'other' });
    list({ start: 's7' });
    expect(asked()).toEqual([
      { type: 'ProcessMoveWanted', pid: 7, start: 's7', reason: 'this node is PLUS at 0.90, rule any:name=burn' },
    ]);
    clock.pass(60_000);
    list({ start: 's7' });
    expect(asked()).toHaveLength(2);
    expect(trail).toEqual([]);
  });
});
