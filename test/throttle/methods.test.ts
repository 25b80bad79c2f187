/** Every way to throttle that works on this machine, by the suite; what does not work here says why. */
import { describe, expect, it } from 'vitest';
import { createSystemClock } from '../../src/clock/system-clock.js';
import { THROTTLE_METHODS } from '../../src/core/processes/saved-throttle.js';
import { createMethods, createThrottle } from '../../src/throttle/create-throttle.js';
import { createDutyCycle } from '../../src/throttle/duty-cycle.js';
import type { Method } from '../../src/throttle/method.js';
import { readThrottleEntry } from '../../src/throttle/process-entry.js';
import { testThrottle } from '../conformance/throttle.js';
import { createManualClock } from '../support/manual-clock.js';
import { startBurner, until } from './burners.js';

const isLinux = process.platform === 'linux';
const tag = `test-${process.pid}`;

function create(name: string): Method {
  const method = createMethods({ clock: createSystemClock(), tag }).find((one) => one.method === name);
  if (method === undefined) throw new Error(`no method ${name}`);
  return method;
}

for (const name of THROTTLE_METHODS) {
  const missing = isLinux ? create(name).probe() : 'this is no Linux';
  if (missing === undefined) testThrottle(() => create(name));
  else describe.skip(`the ${name} throttle (${missing})`, () => it('needs it', () => undefined));
}

describe('the throttle of this machine', () => {
  it('says of every method that it works or why it does not', () => {
    const isGuard = (): boolean => false;
    const options = { clock: createSystemClock(), tag, isGuard };
    const all = createThrottle({ ...options, methods: THROTTLE_METHODS });
    expect(new Set([...all.methods, ...all.missing.keys()])).toEqual(new Set(THROTTLE_METHODS));
    const few = createThrottle({ ...options, methods: ['duty-cycle'] });
    expect(few.methods).toEqual(['duty-cycle']);
    expect(few.missing.get('cgroup-v1')).toContain('scum.throttle_methods');
  });
});

describe.skipIf(!isLinux)('a duty cycle whose driver was killed', () => {
  it('leaves its target stopped, and the next life continues it', async () => {
    const burner = await startBurner();
    const clock = createManualClock();
    const dead = createDutyCycle(clock);
    const start = readThrottleEntry(burner.pid)?.start ?? '';
    const live = { target: 'pid/1', processes: [{ pid: burner.pid, start }], bystanders: [] };
    const prepared = dead.prepare(live, 10, null);
    if (!prepared.ok) throw new Error(prepared.reason);
    dead.set(prepared.record);
    clock.pass(15);
    await until(() => readThrottleEntry(burner.pid)?.stopped === true);
    const next = createDutyCycle(clock);
    expect(next.undo(prepared.record)).toEqual({ ok: true });
    expect(readThrottleEntry(burner.pid)?.stopped).toBe(false);
  });

  it('leaves alone what somebody else stopped', async () => {
    const burner = await startBurner();
    process.kill(burner.pid, 'SIGSTOP');
    await until(() => readThrottleEntry(burner.pid)?.stopped === true);
    const start = readThrottleEntry(burner.pid)?.start ?? '';
    const live = { target: 'pid/1', processes: [{ pid: burner.pid, start }], bystanders: [] };
    expect(createDutyCycle(createManualClock()).prepare(live, 10, null)).toMatchObject({ ok: false });
  });
});
