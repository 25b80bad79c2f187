import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createEwmaRatio, createLoadAverageRatio } from '../../src/sense/load-ratio.js';
import type { MachineSample } from '../../src/sense/machine.js';

function lookAt(now: number, more: Partial<MachineSample> = {}): MachineSample {
  return {
    now,
    cpus: 2,
    cpuPercent: 50,
    memoryPercent: 10,
    memoryBytes: 1e9,
    psiPercent: undefined,
    loadAverage1: 0,
    activeTasks: 0,
    ...more,
  };
}

/** The kernel's 1-minute average of `tasks` active ones that began at 0, moved every 5 s. */
function kernelAverage(now: number, tasks: number): number {
  return tasks * (1 - Math.exp(-(Math.floor(now / 5_000) * 5_000) / 60_000));
}

describe('createLoadAverageRatio', () => {
  it('is the 1-minute average per cpu', async () => {
    expect(await firstValueFrom(createLoadAverageRatio()(lookAt(0, { loadAverage1: 1.7 })))).toEqual({
      ratio: 0.85,
      cpus: 2,
    });
  });

  it('is an error where the system has none', async () => {
    const look = lookAt(0, { loadAverage1: undefined });
    await expect(firstValueFrom(createLoadAverageRatio()(look))).rejects.toThrow(/no load average; use ewma/);
  });
});

/** Looks every 2 s and gives the first time at which the ratio is above 0.8. */
async function findCrossing(more: (now: number) => Partial<MachineSample>): Promise<number> {
  const ratioOf = createEwmaRatio();
  for (let now = 0; now <= 200_000; now += 2_000) {
    if ((await firstValueFrom(ratioOf(lookAt(now, more(now))))).ratio > 0.8) return now;
  }
  return Infinity;
}

describe('createEwmaRatio', () => {
  it('begins at the kernel average', async () => {
    const look = lookAt(0, { loadAverage1: 1, activeTasks: 9 });
    expect((await firstValueFrom(createEwmaRatio()(look))).ratio).toBe(0.5);
  });

  it('shows a step to two tasks on two cpus as above 0.8 after 20 s times ln 5, 32 s', async () => {
    const crossing = await findCrossing((now) => ({ activeTasks: now === 0 ? 0 : 2 }));
    expect(crossing).toBe(34_000);
  });

  it('shows it nearly as soon where only the kernel average is told', async () => {
    const crossing = await findCrossing((now) => ({ activeTasks: undefined, loadAverage1: kernelAverage(now, 2) }));
    expect(crossing).toBeGreaterThanOrEqual(30_000);
    expect(crossing).toBeLessThanOrEqual(40_000);
  });

  it('counts busy cpus where the system has no load average', async () => {
    const crossing = await findCrossing(() => ({ activeTasks: undefined, loadAverage1: undefined, cpuPercent: 100 }));
    expect(crossing).toBe(0);
  });

  it('comes to the mean of a steady load whatever the interval, and is never negative', async () => {
    for (const everyMs of [500, 2_000, 7_000]) {
      const ratioOf = createEwmaRatio();
      for (let now = 0; now <= 300_000; now += everyMs) {
        const { ratio } = await firstValueFrom(ratioOf(lookAt(now, { activeTasks: 1 })));
        expect(ratio).toBeGreaterThanOrEqual(0);
        if (now > 200_000) expect(ratio).toBeCloseTo(0.5, 3);
      }
    }
  });
});
