/** One clock out of three that may lie: what counts as sleep, what is ignored, and that time is always a number that never goes back. */
import fc from 'fast-check';
import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock/clock.js';
import { createSteadyClock } from '../../src/clock/steady-clock.js';

/** A machine whose clocks may lie. */
class Machine {
  awake = 50_000;
  slept = 0;
  /** What the boot clock and the wall clock are off by. */
  bootOff = 0;
  wallOff = 0;
  /** In place of the boot clock's reading. */
  boot: (() => number) | undefined;
  /** Happens while the boot clock is read. */
  whileReading: () => void = () => undefined;
  looks = 0;

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
          this.looks += 1;
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

/** Time that passed on the clock while something happened, and the clock. */
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

describe('sleep counts when the boot clock and the wall clock jumped alike:', () => {
  it.each([
    { what: 'an hour', happen: (one: Machine) => one.sleep(3_600_000), passed: 3_600_000 },
    { what: 'a second', happen: (one: Machine) => one.sleep(1010), passed: 1010 },
    { what: 'no sleep', happen: (one: Machine) => one.run(4000), passed: 4000 },
    { what: 'less than a second does not, alone', happen: (one: Machine) => one.sleep(900), passed: 0 },
    {
      what: 'an hour, and NTP moved the wall clock by 20 s when the machine woke',
      happen: (one: Machine) => {
        one.sleep(3_600_000);
        one.wallOff -= 20_000;
      },
      passed: 3_600_000,
    },
  ])('$what', ({ happen, passed }) => {
    const machine = new Machine();
    const got = measure(machine, () => happen(machine));
    expect(Math.abs(got.passed - passed)).toBeLessThanOrEqual(10);
    expect(got.faults).toEqual([]);
  });

  it('at the first reading after the machine woke', () => {
    const machine = new Machine();
    const clock = machine.clock();
    const start = clock.now();
    machine.run(100);
    machine.sleep(60_000);
    expect(clock.now() - start).toBe(60_100);
  });

  it('short sleeps add up', () => {
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

  it('also where the boot clock is a container’s own', () => {
    const machine = new Machine();
    machine.bootOff = -40_000;
    expect(measure(machine, () => machine.sleep(30_000)).passed).toBe(30_000);
  });

  it('also when the boot clock could not be read while the machine slept', () => {
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

  it('also when the clock lied before', () => {
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

describe('a clock that fails decides nothing, and is named once:', () => {
  it.each([
    { what: 'cannot be read', boot: unreadable, fault: /^the clock since boot cannot be read \(EMFILE/ },
    { what: 'is no number', boot: () => Number.NaN, fault: /^the clock since boot gives no number/ },
    { what: 'is endless', boot: () => Infinity, fault: /gives no number/ },
    { what: 'is negative', boot: () => -5, fault: /gives no number/ },
    {
      what: 'stands still far ahead',
      boot: () => 1e12,
      fault: /jumped by 999.* s and the wall clock by 0.0 s: no sleep/,
    },
    { what: 'stands still at zero', boot: () => 0, fault: /jumped by -5.* s and the wall clock/ },
  ])('it $what', ({ boot, fault }) => {
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
    // Coming back is a jump, too.
    expect(faults.length).toBeLessThanOrEqual(2);
  });

  it.each([
    { what: 'the boot clock jumps alone', bootMs: 864_000_000, wallMs: 0, named: 1 },
    { what: 'the wall clock is set alone', bootMs: 0, wallMs: 1_700_000_000_000, named: 0 },
    { what: 'the wall clock is set back', bootMs: 0, wallMs: -86_400_000, named: 0 },
    { what: 'both jump, and not alike', bootMs: 60_000, wallMs: 30_000, named: 1 },
    { what: 'both jump, against each other', bootMs: 60_000, wallMs: -60_000, named: 1 },
  ])('$what', ({ bootMs, wallMs, named }) => {
    const machine = new Machine();
    const got = measure(machine, () => {
      machine.bootOff += bootMs;
      machine.wallOff += wallMs;
    });
    expect(got.passed).toBe(0);
    expect(got.faults).toHaveLength(named);
  });

  it('an interruption between two readings is no sleep', () => {
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

  it('sleep between two readings is seen with the next ones', () => {
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

it('the boot clock is read each half second while nothing moves', () => {
  const machine = new Machine();
  const clock = machine.clock();
  machine.looks = 0;
  for (let count = 0; count < 1000; count += 1) {
    machine.run(1);
    clock.now();
  }
  expect(machine.looks).toBe(2);
});

it('where the monotonic clock counts sleep itself nothing is added', () => {
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
/** Two small jumps could be alike by chance. */
const jump = (max: number): fc.Arbitrary<number> => fc.integer({ min: -max, max }).filter((ms) => Math.abs(ms) > 2000);
const reading = fc.oneof(
  fc.record({ kind: fc.constant('run' as const), ms: fc.double({ min: 0, max: 5000, noNaN: true }) }),
  fc.record({ kind: fc.constant('boot' as const), ms: jump(1e9) }),
  fc.record({ kind: fc.constant('wall' as const), ms: jump(1e12) }),
  fc.record({ kind: fc.constant('lie' as const), ms: fc.integer({ min: 0, max: LIES.length }) }),
);

describe('whatever the readings are', () => {
  it('now() is finite, never goes back, and is exactly the monotonic time while the two others never jump alike', () => {
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
          // Only one of them moves between two looks.
          machine.run(600);
          const now = clock.now();
          expect(Number.isFinite(now)).toBe(true);
          expect(now).toBeGreaterThanOrEqual(last);
          last = now;
        }
        const passed = last - start;
        const ran = machine.awake - awake;
        expect(passed).toBeGreaterThanOrEqual(ran - 1e-3);
        // What jumps while the boot clock is hidden may jump alike in the end.
        if (readings.every(({ kind }) => kind !== 'lie')) expect(passed).toBeLessThanOrEqual(ran + 1e-3);
      }),
      { numRuns: 1000 },
    );
  });

  it('sleep between any lies makes now() advance by it or not at all, never by more', () => {
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
