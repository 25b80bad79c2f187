import { describe, expect, it } from 'vitest';
import { findProtected, type ProtectionContext } from '../../../src/core/processes/protected-processes.js';
import type { ProcessFacts } from '../../../src/core/processes/process-facts.js';
import type { ScumAction } from '../../../src/core/processes/scum.js';
import {
  judgeScum,
  type JudgeContext,
  type ScumPolicies,
  type ScumPolicy,
} from '../../../src/core/processes/scum-policy.js';
import { findRule, parseScumRule, type ScumRule } from '../../../src/core/processes/scum-rules.js';

function rule(text: string): ScumRule {
  const parsed = parseScumRule(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.rule;
}

function facts(change: Partial<ProcessFacts> = {}): ProcessFacts {
  return {
    pid: 500,
    ppid: 1,
    name: 'ffmpeg',
    user: 'media',
    cgroups: ['/user.slice/a.scope', '/'],
    session: 7,
    ...change,
  };
}

describe('rules', () => {
  it.each<[string, string, 'throttle' | 'migrate', boolean]>([
    ['a name', 'throttle:name=ffmpeg', 'throttle', true],
    ['a name for the other action', 'throttle:name=ffmpeg', 'migrate', false],
    ['any action', 'any:name=ffmpeg', 'migrate', true],
    ['a star in the middle', 'throttle:name=f*g', 'throttle', true],
    ['a star that must give back', 'throttle:name=*mpe*', 'throttle', true],
    ['a question mark', 'throttle:name=ffmpe?', 'throttle', true],
    ['a pattern must match the whole name', 'throttle:name=mpeg', 'throttle', false],
    ['a user', 'throttle:user=media', 'throttle', true],
    ['one of several cgroups', 'throttle:cgroup=/user.slice/*', 'throttle', true],
    ['all conditions', 'throttle:name=ffmpeg&user=media', 'throttle', true],
    ['one of two conditions', 'throttle:name=ffmpeg&user=root', 'throttle', false],
  ])('%s', (_title, text, action, named) => {
    expect(findRule([rule(text)], action, facts()) !== undefined).toBe(named);
  });

  it('do not match an unknown field of a process', () => {
    const unknown = facts({ user: undefined, cgroups: undefined });
    expect(findRule([rule('any:user=*'), rule('any:cgroup=*')], 'throttle', unknown)).toBeUndefined();
  });

  it.each([
    '',
    'name=a',
    'throttle:',
    'throttle:name=',
    'kill:name=a',
    'throttle:pid=1',
    'any:name=a&name=b',
    'any:name=a&',
  ])('reject %j', (text) => {
    expect(parseScumRule(text)).toMatchObject({ ok: false, reason: expect.stringContaining('must be') });
  });

  it('match a pattern with many stars in linear time', () => {
    const long = facts({ name: 'a'.repeat(5000) });
    expect(findRule([rule(`any:name=${'*a'.repeat(50)}b`)], 'throttle', long)).toBeUndefined();
  });
});

describe('a protected process', () => {
  const SELF = 900;
  const around: readonly ProcessFacts[] = [
    { pid: 1, ppid: 0, name: 'systemd' },
    { pid: 40, ppid: 1, name: 'sshd', session: 40 },
    { pid: 41, ppid: 40, name: 'bash', session: 41, terminal: true },
    { pid: 800, ppid: 1, name: 'supervise' },
    { pid: SELF, ppid: 800, name: 'node' },
    { pid: 901, ppid: SELF, name: 'node' },
  ];
  const never = (process: ProcessFacts, isRun = false): string | undefined => {
    const context: ProtectionContext = {
      self: SELF,
      brokerPort: 1883,
      processes: new Map([...around, process].map((one) => [one.pid, one])),
      belongsToRun: (pid) => isRun && pid === process.pid,
    };
    return findProtected(process, context);
  };

  it.each<[string, Partial<ProcessFacts>, string]>([
    ['pid 1', { pid: 1, ppid: 0 }, 'pid 1'],
    ['a kernel thread', { kernelThread: true, name: 'kswapd0' }, 'kernel thread'],
    ['kthreadd without known flags', { pid: 2, ppid: 0 }, 'kernel thread'],
    ['sshd', { name: 'sshd' }, 'handles logins'],
    ['the login manager', { name: 'systemd-logind' }, 'handles logins'],
    ['a broker by its name', { name: 'mosquitto' }, 'broker'],
    ['a broker by its port', { name: 'beam', ports: [80, 1883] }, 'broker'],
    ['tritmesh itself', { pid: SELF, name: 'node' }, 'itself'],
    ['a parent of tritmesh', { pid: 800, name: 'supervise' }, 'runs below it'],
    ['what tritmesh started for itself', { ppid: 901 }, 'belongs to tritmesh'],
    ['another node', { name: 'node', command: ['node', '/usr/bin/tritmesh', 'node'] }, 'tritmesh process'],
    [
      'a broker of tritmesh',
      { name: 'node', command: ['node', '/opt/t/dist/src/cli/main.js', 'broker'] },
      'tritmesh process',
    ],
    [
      'a node of tritmesh from a checkout',
      { name: 'node', command: ['node', '/opt/t/dist/bin/tritmesh.js', 'node'] },
      'tritmesh process',
    ],
    ['the leader of a terminal', { pid: 500, session: 500, terminal: true }, 'terminal'],
    ['the leader of a session by ssh', { pid: 500, session: 500, ppid: 40 }, 'login session'],
    ['the first at a terminal without known sessions', { session: undefined, terminal: true }, 'terminal'],
  ])('is %s', (_title, change, reason) => {
    expect(never(facts(change))).toContain(reason);
  });

  it.each<[string, Partial<ProcessFacts>, boolean]>([
    ['a plain process', {}, false],
    ['a service, which leads a session of its own', { pid: 500, session: 500, ppid: 1 }, false],
    ['a program at a terminal', { session: 41, terminal: true, ppid: 41 }, false],
    ['a run of tritmesh, although it descends from it', { ppid: 901 }, true],
    [
      'a run that has a path of tritmesh among its arguments',
      { name: 'sh', command: ['sh', '-c', 'x', '/a/tritmesh'] },
      true,
    ],
  ])('is not %s', (_title, change, isRun) => {
    expect(never(facts(change), isRun)).toBeUndefined();
  });
});

describe('judging', () => {
  const free: JudgeContext = {
    protection: undefined,
    item: undefined,
    throttleObstacle: undefined,
    moveObstacle: undefined,
  };
  const managed: JudgeContext = { ...free, item: 'j1' };
  const policies = (policy: ScumPolicy): ScumPolicies => ({
    throttle: policy,
    migrate: policy,
    rules: [rule('any:name=ffmpeg')],
    sharePercent: 50,
    vacateAfterMs: 60_000,
  });

  it.each<[ScumPolicy, ScumAction, Partial<ProcessFacts>, JudgeContext, boolean, string]>([
    ['managed', 'throttle', {}, managed, true, 'item j1'],
    ['managed', 'throttle', {}, free, false, 'tritmesh did not start it'],
    ['opt-in', 'throttle', {}, managed, true, 'item j1'],
    ['opt-in', 'throttle', {}, free, true, 'rule any:name=ffmpeg'],
    ['opt-in', 'migrate', {}, free, true, 'rule any:name=ffmpeg'],
    ['opt-in', 'throttle', { name: 'gcc' }, free, false, 'no rule'],
    ['advise', 'throttle', {}, free, false, 'it would'],
    ['advise', 'migrate', {}, managed, false, 'it would'],
    ['off', 'throttle', {}, managed, false, 'scum.throttle is off'],
    ['off', 'migrate', {}, managed, false, 'scum.migrate is off'],
    ['opt-in', 'allow', {}, managed, false, 'MINUS'],
    ['opt-in', 'none', {}, managed, false, '0.35'],
    ['opt-in', 'throttle', {}, { ...free, protection: 'it is a broker' }, false, 'never touched: it is a broker'],
    ['managed', 'throttle', {}, { ...managed, protection: 'pid 1' }, false, 'never touched'],
    ['managed', 'throttle', {}, { ...managed, throttleObstacle: 'no way' }, false, 'but no way'],
    ['managed', 'migrate', {}, { ...managed, moveObstacle: 'it is to run once' }, false, 'but it is to run once'],
    ['managed', 'throttle', {}, { ...managed, moveObstacle: 'it is to run once' }, true, 'item j1'],
  ])('%s, %s, %j', (policy, action, change, known, acts, why) => {
    const verdict = judgeScum(facts(change), action, policies(policy), known);
    expect(verdict.acts).toBe(acts);
    expect(verdict.why).toContain(why);
  });
});
