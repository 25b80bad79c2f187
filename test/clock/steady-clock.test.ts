/**
 * One clock from three that may lie: what counts as sleep, what is ignored, and that time is finite and never goes
 * back.
 */
import fc from 'fast-check';
import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock/clock.js';
import { createSteadyClock } from '../../src/clock/steady-clock.js';

/** A machine whose clocks may lie. */
class Machine {
  awake = 50_000;
  slept = 0;
  /** Offsets of the boot clock and of the wall clock, ms. */
  bootOff = 0;
  wallOff = 0;
  /** Replaces the reading of the boot clock. */
  boot: (() => number) | undefined;
  /** Called while the boot clock is read. */
  whileReading: () => void = () => undefined;
  samples = 0;

  run(ms: number): void {
    this.awake += ms;
  }
  sleep(ms: number): void {
    this.slept += ms;
  }
  clock(): Clock {
    return createSteadyClock(
      {
        monotonicMs: () => this.awake,
        bootMs: () => {
          this.samples += 1;
          const reading = this.boot?.() ?? Math.floor((this.awake + this.slept + this.bootOff) / 10) * 10;
          this.whileReading();
          return reading;
        },
        wallMs: () => 1_700_000_000_000 + this.awake + this.slept + this.wallOff,
      },
      new VirtualTimeScheduler(),
    );
  }
}

function faultsOf(clock: Clock): readonly string[] {
  const faults: string[] = [];
  clock.faults$?.subscribe((one) => faults.push(one)).unsubscribe();
  return faults;
}

/** How much time passed on the clock while something happened, and which faults it reported. */
function measure(
  machine: Machine,
  happen: () => void,
): { readonly passed: number; readonly faults: readonly string[] } {
  const clock = machine.clock();
  const start = clock.now();
  happen();
  machine.run(500);
  clock.now();
  machine.run(500);
  return { passed: clock.now() - start - 1000, faults: faultsOf(clock) };
}

describe('sleep that both the boot clock and the wall clock show is counted', () => {
  it.each([
    { what: 'an hour', happen: (one: Machine) => one.sleep(3_600_000), passed: 3_600_000 },
    { what: 'a second', happen: (one: Machine) => one.sleep(1010), passed: 1010 },
    { what: 'no sleep', happen: (one: Machine) => one.run(4000), passed: 4000 },
    { what: 'less than a second, which does not count alone', happen: (one: Machine) => one.sleep(900), passed: 0 },
    {
      what: 'an hour, and NTP moved the wall clock by 20 s when the machine woke',
      happen: (one: Machine) => {
        one.sleep(3_600_000);
        one.wallOff -= 20_000;
      },
      passed: 3_600_000,
    },
  ])('the clock advances correctly over $what', ({ happen, passed }) => {
    const machine = new Machine();
    const got = measure(machine, () => happen(machine));
    expect(Math.abs(got.passed - passed)).toBeLessThanOrEqual(10);
    expect(got.faults).toEqual([]);
  });

  it('sleep is counted at the first reading after the machine wakes', () => {
    const machine = new Machine();
    const clock = machine.clock();
    const start = clock.now();
    machine.run(100);
    machine.sleep(60_000);
    expect(clock.now() - start).toBe(60_100);
  });

  it('short sleeps add up until they count', () => {
    const machine = new Machine();
    const clock = machine.clock();
    const start = clock.now();
    for (let count = 0; count < 10; count += 1) {
      machine.sleep(300);
      machine.run(1000);
      clock.now();
    }
    expect(clock.now() - start).toBeGreaterThan(13_000 - 1000);
    expect(clock.now() - start).toBeLessThanOrEqual(13_000);
  });

  it('sleep is counted where the boot clock is that of a container', () => {
    const machine = new Machine();
    machine.bootOff = -40_000;
    expect(measure(machine, () => machine.sleep(30_000)).passed).toBe(30_000);
  });

  it('sleep is counted when the boot clock could not be read while the machine slept', () => {
    const machine = new Machine();
    const clock = machine.clock();
    const start = clock.now();
    machine.boot = () => Number.NaN;
    machine.run(1000);
    clock.now();
    machine.sleep(30_000);
    machine.run(1000);
    expect(clock.now() - start).toBe(2000);
    machine.boot = undefined;
    machine.run(1000);
    expect(clock.now() - start).toBe(33_000);
  });

  it('sleep is counted when the boot clock jumped before', () => {
    const machine = new Machine();
    const clock = machine.clock();
    machine.bootOff = 864_000_000;
    machine.run(1000);
    clock.now();
    const start = clock.now();
    machine.sleep(30_000);
    machine.run(1000);
    expect(clock.now() - start).toBe(31_000);
  });
});

const unreadable = (): never => {
  throw new Error('EMFILE: too many open files, open /proc/uptime');
};

describe('a clock that fails is ignored and reported once', () => {
  it.each([
    { what: 'cannot be read', boot: unreadable, fault: /^the clock since boot cannot be read \(EMFILE/ },
    { what: 'is not a number', boot: () => Number.NaN, fault: /^the clock since boot returns no valid number/ },
    { what: 'is infinite', boot: () => Infinity, fault: /returns no valid number/ },
    { what: 'is negative', boot: () => -5, fault: /returns no valid number/ },
    {
      what: 'is stuck far ahead',
      boot: () => 1e12,
      fault: /jumped by 999.* s and the wall clock by 0.0 s: no sleep/,
    },
    { what: 'is stuck at zero', boot: () => 0, fault: /jumped by -5.* s and the wall clock/ },
  ])('a boot clock that $what changes nothing and is reported once', ({ boot, fault }) => {
    const machine = new Machine();
    const clock = machine.clock();
    const start = clock.now();
    machine.boot = boot;
    for (let count = 0; count < 20; count += 1) {
      machine.run(501);
      clock.now();
    }
    machine.boot = undefined;
    machine.run(980);
    expect(clock.now() - start).toBe(11_000);
    const faults = faultsOf(clock);
    expect(faults.filter((one) => fault.test(one))).toHaveLength(1);
    // Its recovery is a jump too.
    expect(faults.length).toBeLessThanOrEqual(2);
  });

  it.each([
    { what: 'the boot clock jumps alone', bootMs: 864_000_000, wallMs: 0, named: 1 },
    { what: 'the wall clock is set alone', bootMs: 0, wallMs: 1_700_000_000_000, named: 0 },
    { what: 'the wall clock is set back', bootMs: 0, wallMs: -86_400_000, named: 0 },
    { what: 'both jump by different times', bootMs: 60_000, wallMs: 30_000, named: 1 },
    { what: 'both jump in opposite directions', bootMs: 60_000, wallMs: -60_000, named: 1 },
  ])('no sleep is counted when $what', ({ bootMs, wallMs, named }) => {
    const machine = new Machine();
    const got = measure(machine, () => {
      machine.bootOff += bootMs;
      machine.wallOff += wallMs;
    });
    expect(got.passed).toBe(0);
    expect(got.faults).toHaveLength(named);
  });

  it('an interruption between two readings is not counted as sleep', () => {
    const machine = new Machine();
    const clock = machine.clock();
    const start = clock.now();
    machine.whileReading = () => machine.run(5000);
    machine.run(1000);
    clock.now();
    machine.whileReading = () => undefined;
    machine.run(1000);
    expect(clock.now() - start).toBe(7000);
  });

  it('sleep between two readings is counted with the next ones', () => {
    const machine = new Machine();
    const clock = machine.clock();
    const start = clock.now();
    machine.whileReading = () => machine.sleep(5000);
    machine.run(1000);
    clock.now();
    machine.whileReading = () => undefined;
    machine.run(1000);
    expect(clock.now() - start).toBe(7000);
  });
});

it('the boot clock is read every half second while no clock jumps', () => {
  const machine = new Machine();
  const clock = machine.clock();
  machine.samples = 0;
  for (let count = 0; count < 1000; count += 1) {
    machine.run(1);
    clock.now();
  }
  expect(machine.samples).toBe(2);
});

it('nothing is added where the monotonic clock includes sleep', () => {
  let ms = 0;
  let wall = 0;
  const clock = createSteadyClock(
    { monotonicMs: () => ms, bootMs: undefined, wallMs: () => wall },
    new VirtualTimeScheduler(),
  );
  ms += 5000;
  wall += 900_000;
  expect(clock.now()).toBe(5000);
});

const LIES = [() => Number.NaN, () => Infinity, () => -Infinity, () => 0, () => 1e15, () => -1, unreadable];
/** Small jumps are left out: two of them could be equal by chance. */
const jump = (max: number): fc.Arbitrary<number> => fc.integer({ min: -max, max }).filter((ms) => Math.abs(ms) > 2000);
const reading = fc.oneof(
  fc.record({ kind: fc.constant('run' as const), ms: fc.double({ min: 0, max: 5000, noNaN: true }) }),
  fc.record({ kind: fc.constant('boot' as const), ms: jump(1e9) }),
  fc.record({ kind: fc.constant('wall' as const), ms: jump(1e12) }),
  fc.record({ kind: fc.constant('lie' as const), ms: fc.integer({ min: 0, max: LIES.length }) }),
);

describe('whatever the readings are', () => {
  it('now() is finite, never goes back, and equals the monotonic time unless the two others jump by the same time', () => {
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 60 }), (readings) => {
        const machine = new Machine();
        const clock = machine.clock();
        const [start, awake] = [clock.now(), machine.awake];
        let last = start;
        for (const { kind, ms } of readings) {
          if (kind === 'run') machine.run(ms);
          else if (kind === 'boot') machine.bootOff += ms;
          else if (kind === 'wall') machine.wallOff += ms;
          else machine.boot = LIES[ms];
          // Only one of the clocks moves between two samples.
          machine.run(600);
          const now = clock.now();
          expect(Number.isFinite(now)).toBe(true);
          expect(now).toBeGreaterThanOrEqual(last);
          last = now;
        }
        const passed = last - start;
        const ran = machine.awake - awake;
        expect(passed).toBeGreaterThanOrEqual(ran - 1e-3);
        // Jumps while the boot clock cannot be read may add up to the same time.
        if (readings.every(({ kind }) => kind !== 'lie')) expect(passed).toBeLessThanOrEqual(ran + 1e-3);
      }),
      { numRuns: 1000 },
    );
  });

  it('sleep among any wrong readings advances now() by its length or not at all, never by more', () => {
    const step = fc.record({
      sleptMs: fc.integer({ min: 0, max: 100_000 }),
      bootOff: fc.constantFrom(0, 0, 0, 864_000_000, -3_600_000),
      wallOff: fc.constantFrom(0, 0, 0, 3_600_000, -86_400_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const machine = new Machine();
        const clock = machine.clock();
        const start = clock.now();
        let ran = 0;
        for (const { sleptMs, bootOff, wallOff } of steps) {
          machine.sleep(sleptMs);
          machine.bootOff += bootOff;
          machine.wallOff += wallOff;
          machine.run(600);
          ran += 600;
          clock.now();
        }
        const passed = clock.now() - start;
        expect(passed).toBeGreaterThanOrEqual(ran);
        expect(passed).toBeLessThanOrEqual(ran + machine.slept + 10);
        const isHonest = steps.every((one) => one.bootOff === 0 && one.wallOff === 0);
        if (isHonest) expect(passed).toBeGreaterThanOrEqual(ran + machine.slept - 1000 - 10);
      }),
      { numRuns: 500 },
    );
  });
});
