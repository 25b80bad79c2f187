import { spawnSync } from 'node:child_process';
import { asyncScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createSystemClock, type ClockReadings } from '../../src/clock/system-clock.js';

interface Machine extends ClockReadings {
  /** Awake time passes. */
  run(ms: number): void;
  /** The machine sleeps. */
  sleep(ms: number): void;
  looks: number;
}

function createMachine({ sleptMs = 0, uptimeStartsMs = 0, hasUptime = true } = {}): Machine {
  let awake = 50_000;
  let slept = sleptMs;
  return {
    looks: 0,
    run: (ms) => void (awake += ms),
    sleep: (ms) => void (slept += ms),
    monotonicMs: () => awake,
    uptimeMs() {
      this.looks += 1;
      return hasUptime ? Math.floor((awake + slept - uptimeStartsMs) / 10) * 10 : undefined;
    },
    wallMs: () => 1_700_000_000_000,
  };
}

/** The clock reads through `machine`, counting its looks. */
function createClock(machine: Machine): ReturnType<typeof createSystemClock> {
  return createSystemClock({
    monotonicMs: () => machine.monotonicMs(),
    uptimeMs: () => machine.uptimeMs(),
    wallMs: () => machine.wallMs(),
  });
}

describe('the system clock', () => {
  it('counts awake time exactly', () => {
    const machine = createMachine();
    const clock = createClock(machine);
    const start = clock.now();
    machine.run(12_345.25);
    expect(clock.now() - start).toBe(12_345.25);
  });

  it.each([
    { what: 'an hour of sleep is counted', sleepMs: 3_600_000, awakeMs: 500, added: 3_600_000 },
    { what: 'sleep is seen at the next look, at most 500 ms later', sleepMs: 60_000, awakeMs: 499, added: 0 },
    { what: 'sleep of less than a second is not noticed', sleepMs: 900, awakeMs: 500, added: 0 },
  ])('$what', ({ sleepMs, awakeMs, added }) => {
    const machine = createMachine();
    const clock = createClock(machine);
    const start = clock.now();
    machine.sleep(sleepMs);
    machine.run(awakeMs);
    const passed = clock.now() - start;
    expect(passed).toBeGreaterThan(added + awakeMs - 11);
    expect(passed).toBeLessThanOrEqual(added + awakeMs);
  });

  it('sums up short sleeps once they are over a second', () => {
    const machine = createMachine();
    const clock = createClock(machine);
    const start = clock.now();
    for (let count = 0; count < 10; count += 1) {
      machine.sleep(300);
      machine.run(1000);
      clock.now();
    }
    expect(clock.now() - start).toBeGreaterThan(13_000 - 1000);
    expect(clock.now() - start).toBeLessThanOrEqual(13_000);
  });

  it('agrees with a clock that was made before the machine slept', () => {
    const machine = createMachine();
    const older = createClock(machine);
    older.now();
    machine.sleep(100_000);
    machine.run(1000);
    const younger = createClock(machine);
    expect(younger.now()).toBe(older.now());
  });

  it.each([
    { what: 'with uptime', machine: createMachine({ sleptMs: 5000 }) },
    { what: 'with the uptime of a container', machine: createMachine({ uptimeStartsMs: 40_000 }) },
    { what: 'without uptime', machine: createMachine({ hasUptime: false }) },
  ])('never goes back $what, however long it was interrupted', ({ machine }) => {
    const clock = createClock(machine);
    let last = clock.now();
    for (let count = 0; count < 200; count += 1) {
      machine.run((count * 37) % 801);
      if (count % 40 === 7) machine.sleep(count * 100);
      const now = clock.now();
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  });

  it('notices sleep in a container whose uptime counts from its own start', () => {
    const machine = createMachine({ uptimeStartsMs: 40_000 });
    const clock = createClock(machine);
    const start = clock.now();
    machine.sleep(30_000);
    machine.run(500);
    expect(Math.abs(clock.now() - start - 30_500)).toBeLessThanOrEqual(20);
  });

  it('takes an interruption between its two readings for no sleep', () => {
    const machine = createMachine();
    const clock = createSystemClock({
      monotonicMs: () => machine.monotonicMs(),
      uptimeMs: () => {
        const uptime = machine.uptimeMs();
        machine.run(5000);
        return uptime;
      },
      wallMs: () => 0,
    });
    const start = clock.now();
    machine.run(1000);
    expect(clock.now() - start).toBeLessThanOrEqual(1000 + 5000);
    machine.run(1000);
    expect(clock.now()).toBe(machine.monotonicMs() - 5000);
  });

  it('looks at uptime at most every 500 ms', () => {
    const machine = createMachine();
    const clock = createClock(machine);
    clock.now();
    machine.looks = 0;
    for (let count = 0; count < 1000; count += 1) {
      machine.run(1);
      clock.now();
    }
    expect(machine.looks).toBe(2);
  });

  it('is the same clock in another process of this boot', () => {
    const script = `import('${new URL('../../dist/src/clock/system-clock.js', import.meta.url).href}')
      .then((module) => console.log(module.createSystemClock().now()))`;
    const clock = createSystemClock();
    const before = clock.now();
    const other = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    const after = clock.now();
    expect(other.stderr).toBe('');
    expect(Number(other.stdout)).toBeGreaterThanOrEqual(before);
    expect(Number(other.stdout)).toBeLessThanOrEqual(after);
  });

  it('has the wall clock and the scheduler of this process', () => {
    const clock = createSystemClock();
    expect(clock.wall()).toBeGreaterThan(1_700_000_000_000);
    expect(clock.scheduler).toBe(asyncScheduler);
  });
});
