/** The clock of this machine over its real clocks. Clocks that lie are tested in steady-clock.test.ts. */
import { asyncScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createSystemClock } from '../../src/clock/system-clock.js';

describe('the system clock', () => {
  it('the clock advances like the monotonic clock and reports no fault on this machine', () => {
    const clock = createSystemClock();
    const [from, start] = [performance.now(), clock.now()];
    while (performance.now() - from < 50);
    const inner = clock.now() - start;
    expect(inner).toBeGreaterThanOrEqual(50 - 1);
    expect(inner).toBeLessThanOrEqual(performance.now() - from + 1);
    const faults: string[] = [];
    clock.faults$?.subscribe((one) => faults.push(one)).unsubscribe();
    expect(faults).toEqual([]);
  });

  it('the clock has the wall clock and the scheduler of this process', () => {
    const clock = createSystemClock();
    expect(clock.wall()).toBeGreaterThan(1_700_000_000_000);
    expect(clock.scheduler).toBe(asyncScheduler);
  });
});
