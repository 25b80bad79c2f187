/** The clock by which an owner gives up. */
import { describe, expect, test } from 'vitest';
import { advanceBusTime, changeBusTime, giveUpTime, startBusTime, type BusTime } from '../../src/core/bus-time.js';

/** Reads it every second from its last reading up to `until`. */
function tick(time: BusTime, until: number): BusTime {
  let read = time;
  for (let now = time.asOf + 1000; now <= until; now += 1000) read = advanceBusTime(read, now);
  return read;
}

const online = changeBusTime(startBusTime(0), true, 0);

describe('bus time', () => {
  test('it runs only while the bus is there, and goes on where it stood', () => {
    const away = changeBusTime(tick(online, 10_000), false, 10_000);
    expect(tick(away, 500_000).ms).toBe(10_000);
    const back = changeBusTime(tick(away, 500_000), true, 500_000);
    expect(tick(back, 505_000).ms).toBe(15_000);
  });

  test('two hours of sleep are two seconds, and a return', () => {
    const woken = advanceBusTime(tick(online, 10_000), 7_210_000);
    expect(woken).toMatchObject({ ms: 12_000, returnedAt: 7_210_000 });
  });

  test('a short stall is no return', () => {
    expect(advanceBusTime(online, 5000)).toMatchObject({ ms: 2000, returnedAt: 0 });
  });

  test('it never goes back', () => {
    expect(advanceBusTime(tick(online, 9000), 3000).ms).toBe(9000);
  });
});

describe('giving up', () => {
  test('never while the bus is away', () => {
    const away = changeBusTime(online, false, 1000);
    expect(giveUpTime(0, { bus: away, returnedMs: 30_000 })).toBe(Number.POSITIVE_INFINITY);
  });

  test('not within the first while after a return, though it was due long ago', () => {
    const back = changeBusTime(changeBusTime(tick(online, 80_000), false, 80_000), true, 85_000);
    expect(giveUpTime(75_000, { bus: back, returnedMs: 30_000 })).toBe(115_000);
  });

  test('by the monotonic clock where no bus time is kept', () => {
    expect(giveUpTime(75_000, {})).toBe(75_000);
  });
});
