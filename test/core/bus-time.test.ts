/** Bus time, the clock by which an owner gives up. */
import { describe, expect, it } from 'vitest';
import { advanceBusTime, changeBusTime, giveUpTime, startBusTime, type BusTime } from '../../src/core/bus-time.js';

/** Reads the clock every second from its last reading up to `until`. */
function tick(time: BusTime, until: number): BusTime {
  let read = time;
  for (let now = time.asOf + 1000; now <= until; now += 1000) read = advanceBusTime(read, now);
  return read;
}

const online = changeBusTime(startBusTime(0), true, 0);

describe('bus time', () => {
  it('runs only while the bus is connected, and continues where it stopped', () => {
    const away = changeBusTime(tick(online, 10_000), false, 10_000);
    expect(tick(away, 500_000).ms).toBe(10_000);
    const back = changeBusTime(tick(away, 500_000), true, 500_000);
    expect(tick(back, 505_000).ms).toBe(15_000);
  });

  it('counts two hours of sleep as two seconds and as a return', () => {
    const woken = advanceBusTime(tick(online, 10_000), 7_210_000);
    expect(woken).toMatchObject({ ms: 12_000, returnedAt: 7_210_000 });
  });

  it('does not count a short stall as a return', () => {
    expect(advanceBusTime(online, 5000)).toMatchObject({ ms: 2000, returnedAt: 0 });
  });

  it('never goes back', () => {
    expect(advanceBusTime(tick(online, 9000), 3000).ms).toBe(9000);
  });
});

describe('giving up', () => {
  it('never happens while the bus is away', () => {
    const away = changeBusTime(online, false, 1000);
    expect(giveUpTime(0, { bus: away, returnedMs: 30_000 })).toBe(Number.POSITIVE_INFINITY);
  });

  it('does not happen right after a return, even if it was due long ago', () => {
    const back = changeBusTime(changeBusTime(tick(online, 80_000), false, 80_000), true, 85_000);
    expect(giveUpTime(75_000, { bus: back, returnedMs: 30_000 })).toBe(115_000);
  });

  it('uses the monotonic clock if there is no bus time', () => {
    expect(giveUpTime(75_000, {})).toBe(75_000);
  });
});
