/**
 * Throttling with the real programs: an ERGODIC node throttles a burner, as measured; a MINUS node releases it; and the
 * next boot of a killed node takes over its throttles.
 */
import { writeFile } from 'node:fs/promises';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createSystemClock } from '../../src/clock/system-clock.js';
import type { ThrottleMethod } from '../../src/core/processes/saved-throttle.js';
import { createMethods } from '../../src/throttle/create-throttle.js';
import { readThrottleEntry } from '../../src/throttle/process-entry.js';
import { requirement } from '../support/requirements.js';
import { describeProcesses, measureShare, until } from '../throttle/burners.js';
import { BROKERS, type TestBroker } from '../support/brokers.js';
import {
  allUp,
  fields,
  isStatus,
  openScene,
  upAfter,
  type BusListener,
  type Heard,
  type NodeProcess,
  type Scene,
} from '../support/programs.js';

/** Percent of one core. */
const SHARE_PERCENT = 5;
/** Largest share of a core that the burner uses while throttled, and smallest share otherwise. */
const HELD_MAX = 0.12;
const FREE_MIN = 0.3;
/** Burns a core, with a raised priority if permitted: on a busy machine it would not be SCUM otherwise. */
const BURNING = `
  try { require('node:fs').writeFileSync('/proc/self/autogroup', '-19'); } catch {}
  for (;;);
`;

const works = (name: ThrottleMethod): boolean =>
  process.platform === 'linux' &&
  createMethods({ clock: createSystemClock(), tag: `look-${process.pid}` })
    .find(({ method }) => method === name)
    ?.probe() === undefined;
const hasQuota = requirement(
  'cgroup version 1 that this user may change',
  works('cgroup-v1'),
  'run as root where it is mounted',
);
const hasProc = requirement('/proc', existsSync('/proc/self/stat'), 'run on Linux');

let broker: TestBroker;
let scene: Scene;
let ear: BusListener;
let load: string;

beforeEach(async () => {
  const [first] = BROKERS;
  if (first === undefined) throw new Error('no broker');
  broker = await first.open();
  scene = openScene(broker.url);
  ear = await scene.ear();
  load = join(await scene.directory(), 'load');
  await writeFile(load, '0.5');
});
afterEach(async () => {
  await scene.end();
  await broker.close();
});

/** Generous timeouts: a timeout on a busy machine proves nothing. */
const PATIENT_MS = 180_000;

function startNode(env: Readonly<Record<string, string>>): Promise<NodeProcess> {
  return scene.node('alpha', `command:cat ${load}`, {
    TRITMESH_SENSE_LOAD_EVERY_MS: '200',
    TRITMESH_SENSE_PROCESSES_EVERY_MS: '500',
    TRITMESH_TRIT_MINUS_HOLD_MS: '0',
    TRITMESH_TRIT_ERGODIC_HOLD_MS: '0',
    TRITMESH_SCUM_SHARE_PERCENT: String(SHARE_PERCENT),
    TRITMESH_LEASE_LEASE_MS: '30000',
    ...env,
  });
}

async function submit(node: NodeProcess): Promise<string> {
  const submitted = await scene.command(
    node,
    ['run', '--no-wait', '--json', '--here', '--', process.execPath, '-e', BURNING],
    node.stateDir,
  );
  expect(submitted.code, submitted.stderr).toBe(0);
  return String((JSON.parse(submitted.stdout) as { item?: string }).item);
}

/** The next event of a type after the first `from` messages. */
async function event(type: string, from: number): Promise<Record<string, unknown>> {
  const isIt = (one: Heard): boolean =>
    one.topic === 'tritmesh/node/alpha/event' &&
    fields(one)['event_type'] === type &&
    ear.heard.lastIndexOf(one) >= from;
  return fields(await ear.next(isIt));
}

function watch(pid: number): { readonly cpuS: () => number } {
  return { cpuS: () => readThrottleEntry(pid)?.cpuS ?? 0 };
}

async function cancel(item: string): Promise<void> {
  await ear.publish('tritmesh/node/alpha/request/cancel', item);
  await ear.next(isStatus(item, 'cancelled'));
}

describe.skipIf(!hasQuota)('a node with a quota', () => {
  it(
    'throttles its burner when ERGODIC, frees it when MINUS, and its next life goes on with it',
    async () => {
      const node = await startNode({ TRITMESH_SCUM_THROTTLE_METHODS: 'cgroup-v1' });
      await allUp(ear, ['alpha']);
      const item = await submit(node);
      const throttled = await event('throttled', 0);
      expect(throttled).toMatchObject({ share_percent: SHARE_PERCENT, method: 'cgroup-v1', item });
      const pid = Number(throttled['pid']);
      const job = watch(pid);
      expect(await measureShare(job)).toBeLessThan(HELD_MAX);

      // The list is published every few seconds at most.
      await ear.next((one) => one.topic.endsWith('/scum') && one.text.includes(`"throttled_percent":${SHARE_PERCENT}`));
      const explained = await scene.command(node, ['scum', '--explain', '--json']);
      const { items } = JSON.parse(explained.stdout) as { items: readonly Record<string, unknown>[] };
      const told = items.find((one) => one['pid'] === pid);
      expect(told).toMatchObject({
        acts: true,
        action: 'throttle',
        throttled_percent: SHARE_PERCENT,
        throttled_by: 'cgroup-v1',
      });
      expect(told?.['terms']).toMatchObject({
        cpu: expect.any(Number),
        memory: expect.any(Number),
        age: expect.any(Number),
      });

      let from = ear.heard.length;
      await writeFile(load, '0.1');
      expect(await event('unthrottled', from)).toMatchObject({ pid, reason: expect.stringContaining('MINUS') });
      const free = describeProcesses([pid]);
      expect(free[0]).not.toContain('tritmesh');
      expect(await measureShare(job)).toBeGreaterThan(FREE_MIN);

      from = ear.heard.length;
      await writeFile(load, '0.5');
      await event('throttled', from);
      await node.kill();
      expect(describeProcesses([pid])[0]).toContain('tritmesh-alpha-run-alpha');
      expect(await measureShare(job)).toBeLessThan(HELD_MAX);

      from = ear.heard.length;
      await node.start();
      await upAfter(ear, 'alpha', from);
      expect(await measureShare(job)).toBeLessThan(HELD_MAX);
      expect(describeProcesses([pid])[0]).toContain('tritmesh-alpha-run-alpha');
      await writeFile(load, '0.1');
      await event('unthrottled', from);
      expect(describeProcesses([pid])).toEqual(free);

      from = ear.heard.length;
      await writeFile(load, '0.5');
      await event('throttled', from);
      node.signal('SIGTERM');
      await node.ended();
      expect(describeProcesses([pid])).toEqual(free);
      from = ear.heard.length;
      await node.start();
      await upAfter(ear, 'alpha', from);
      await cancel(item);
    },
    PATIENT_MS,
  );
});

describe.skipIf(!hasProc)('a node with a duty cycle', () => {
  it(
    'that is killed leaves its target stopped, and its next life continues it',
    async () => {
      const node = await startNode({ TRITMESH_SCUM_THROTTLE_METHODS: 'duty-cycle' });
      await allUp(ear, ['alpha']);
      const item = await submit(node);
      const pid = Number((await event('throttled', 0))['pid']);
      const job = watch(pid);
      const isStopped = (): boolean => readThrottleEntry(pid)?.stopped === true;
      // The driver must keep its target stopped.
      for (let held = false; !held;) {
        await until(isStopped);
        node.signal('SIGSTOP');
        await until(() => readThrottleEntry(node.pid)?.stopped === true);
        held = isStopped();
        if (!held) node.signal('SIGCONT');
      }
      await node.kill();
      expect(isStopped()).toBe(true);
      const used = job.cpuS();
      const from = ear.heard.length;
      await node.start();
      await upAfter(ear, 'alpha', from);
      await until(() => job.cpuS() > used);
      await writeFile(load, '0.1');
      await event('unthrottled', from);
      expect(isStopped()).toBe(false);
      await cancel(item);
    },
    PATIENT_MS,
  );

  it(
    'throttles a process that tritmesh did not start when a rule names it',
    async () => {
      const named = await startForeign('tm-named');
      await startNode({
        TRITMESH_SCUM_THROTTLE_METHODS: 'duty-cycle',
        TRITMESH_SCUM_THROTTLE: 'opt-in',
        TRITMESH_SCUM_RULES: 'throttle:name=tm-named*',
      });
      const throttled = await event('throttled', 0);
      expect(throttled).toMatchObject({ pid: named, method: 'duty-cycle', reason: expect.stringContaining('rule') });
      const explained = await ear.next((one) => one.text.includes(`"throttled_percent":${SHARE_PERCENT}`));
      expect(explained.text).toContain('rule throttle:name=tm-named*');
      // The accuracy of the driver is tested elsewhere: on a busy machine it is low.
      await until(() => readThrottleEntry(named)?.stopped === true);
      await writeFile(load, '0.1');
      await event('unthrottled', 0);
      expect(readThrottleEntry(named)?.stopped).toBe(false);
      expect(ear.heard.filter((one) => one.text.includes('"throttled"') && one.topic.endsWith('/event'))).toHaveLength(
        1,
      );
    },
    PATIENT_MS,
  );
});

/** A burner that tritmesh did not start, with a recognizable name. */
async function startForeign(name: string): Promise<number> {
  const script = `process.title = '${name}';${BURNING}`;
  const child: ChildProcess = spawn(process.execPath, ['-e', script], { detached: true, stdio: 'ignore' });
  await once(child, 'spawn');
  onTestFinished(async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  });
  return child.pid ?? 0;
}
